"""What rendered a file, stored with its report; raised whenever the same edit would give another picture or sound."""

from typing import Final

ENGINE_VERSION: Final = "cinema-render/21"
