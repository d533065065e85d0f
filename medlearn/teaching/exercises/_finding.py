"""Find an exercise by its id."""

import functools
import importlib
import pkgutil

from medlearn import _files
from medlearn.teaching.exercises._forms import Exercise

_LESSON = "lesson_"


def find(id: str) -> Exercise:
    """Return an exercise of the course.

    Raises
    ------
    ValueError
        If there is none of this id.

    Examples
    --------
    >>> find("09.1").name
    'f1_by_hand'
    """
    text = str(id)
    for exercise in _of_lesson(text[:2]) if text[:2] in _lessons() else ():
        if exercise.id == text:
            return exercise
    raise ValueError(_files.unknown("exercise", id, ids()))


@functools.cache
def ids(lesson: str = "") -> tuple[str, ...]:
    """Return the ids of the exercises of a lesson, such as ``"06"``, or of all lessons."""
    lessons = _lessons() if not lesson else [number for number in _lessons() if number == lesson]
    return tuple(exercise.id for number in lessons for exercise in _of_lesson(number))


def _lessons() -> list[str]:
    package = importlib.import_module(__package__)
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return sorted(name.removeprefix(_LESSON) for name in names if name.startswith(_LESSON))


def _of_lesson(number: str) -> list[Exercise]:
    return importlib.import_module(f"{__package__}.{_LESSON}{number}").EXERCISES
