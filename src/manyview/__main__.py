"""`python -m manyview` is the command `manyview`."""

from manyview.cli import main

if __name__ == "__main__":
    main()
