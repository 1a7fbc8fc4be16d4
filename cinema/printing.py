"""What others wrote, shown in a terminal."""


def printable(text: str) -> str:
    """A text with its lines, without what would steer the terminal: escapes, and marks that turn the way of reading."""
    return "\n".join("".join(sign if sign.isprintable() else " " for sign in line) for line in text.split("\n"))
