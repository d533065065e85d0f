"""What `course.py` does once the course is set up: open, test, run and look after the lessons.

These modules work in a checkout of the course. The library `medlearn` never imports them, and its
wheel does not hold them.
"""
