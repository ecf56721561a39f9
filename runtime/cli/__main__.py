"""`python -m orderloom.runtime.cli`."""

from orderloom.runtime.cli import main

if __name__ == "__main__":
    main()
