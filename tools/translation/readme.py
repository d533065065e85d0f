"""README.zh-CN.md, from the README and its translations."""

from pathlib import Path

from medlearn import _files
from tools import lessons
from tools.translation import copies


def name(language: str) -> str:
    """Return the name of the README in a language, such as ``README.zh-CN.md``."""
    return f"README.{language.replace('_', '-')}.md"


def text(language: str) -> str:
    """Return the README in a language."""
    return copies.page("README.md", language, "readme")


def write(language: str) -> bool:
    """Write it and return whether it has changed."""
    path = Path(lessons.ROOT, name(language))
    if path.exists() and path.read_text(encoding="utf-8") == text(language):
        return False
    _files.write_text(path, text(language))
    return True
