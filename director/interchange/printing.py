"""Names from outside as text that neither XML nor a list of lines can be broken with."""

import unicodedata

#: Unicode's categories of characters that end a line, control a device or are half of another.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """``text`` with a space for each character that is not to be seen (XML 1.0, 2.2 allows none of the controls)."""
    return "".join(" " if unicodedata.category(character) in _UNPRINTABLE else character for character in text)
