"""The course as a web site: built from the saved lessons without a network, read without one.

For example:

    python3 course.py site                    # into the folder _site of the course
    python3 course.py site --to FOLDER
"""

from tools.site.building import write

__all__ = ["write"]
