"""Progress bars for lessons: they vanish when done and are silent where nobody watches."""

from medlearn._progress import bar

__all__ = ["bar"]
