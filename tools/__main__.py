"""`python -m tools ...`, which `course.py` hands over to."""

import sys

from tools.commands import main

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
