"""Run the command as ``python -m cinema``."""

from cinema.cli import main

if __name__ == "__main__":
    main()
