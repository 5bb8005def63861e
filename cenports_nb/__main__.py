"""Run the command line: `python -m cenports_nb` is `cenports-nb`."""

from cenports_nb.cli import main

if __name__ == "__main__":
    main()
