"""What `course.py` does once the course is set up: open, test, run and look after the lessons.

These modules work in a checkout of the course. The library `medlearn` never imports them, and its
wheel does not hold them.
"""

import sys

# jsonschema, which nbformat imports, would build a grammar of addresses for two seconds in each
# process; it checks nothing here and does without.
sys.modules.setdefault("rfc3987_syntax", None)
