"""The answers, typical wrong answers and hints of all exercises, a module for each lesson."""

from medlearn.teaching.exercises._finding import find, ids
from medlearn.teaching.exercises._forms import Condition, Exercise, Function, Value

__all__ = ["Condition", "Exercise", "Function", "Value", "find", "ids"]
