"""What `course.py` does once the course is set up: open, test, run and look after the lessons."""
