"""A sandboxed child that leaves without reading what it was asked."""

import sys
import time

if __name__ == "__main__":
    time.sleep(0.2)
    print("I hear nothing", file=sys.stderr)
    sys.exit(7)
