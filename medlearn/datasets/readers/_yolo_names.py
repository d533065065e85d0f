"""The names of YOLO's classes, from data.yaml or classes.txt."""

import re
from pathlib import Path

from medlearn.datasets.readers import _paths
from medlearn.datasets.readers._problems import Problems, Unreadable

_MAX_BYTES = 1_000_000
_QUOTED = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^']|'')*'"
_FLOW = re.compile(rf"(?:(?P<index>\d+)\s*:\s*)?(?P<name>{_QUOTED}|[^,\[\]{{}}'\"\s][^,\[\]{{}}]*)")
_LINE = re.compile(rf"\s*(?:-|(?P<index>\d+)\s*:)\s+(?P<name>{_QUOTED}|.+?)\s*(?:\s#.*)?")


def class_names(folder: Path, problems: Problems) -> tuple[dict[int, str], bool]:
    """Return the names of the classes by number, and whether boxes are followed by key points.

    Parameters
    ----------
    folder : Path
        The folder of the text files, or the one above labels and images.
    problems : Problems
        Gets a row if the classes have no names; then the result is empty.
    """
    for path in _candidates(folder):
        try:
            _paths.check_below(path, path.parent.resolve())
            text = _paths.contents(path, _MAX_BYTES).decode("utf-8-sig", "replace")
        except Unreadable as error:
            problems.add_unreadable(path.name, error)
            continue
        if path.suffix.lower() not in (".yaml", ".yml"):
            lines = [line.strip() for line in text.splitlines()]
            return {index: line[:200] for index, line in enumerate(lines) if line}, False
        names = yaml_names(text)
        if names:
            return names, re.search(r"(?m)^kpt_shape\s*:", text) is not None
    problems.add(
        folder.name,
        "neither data.yaml nor classes.txt names the classes: their numbers are their names",
        "put classes.txt with one name a line into the folder",
    )
    return {}, False


def yaml_names(text: str) -> dict[int, str]:
    """Return the names of the classes in a data.yaml, by number; empty if it has none.

    Parameters
    ----------
    text : str
        Content of the file.

    Examples
    --------
    >>> yaml_names("nc: 2\\nnames: ['red cell', white]")
    {0: 'red cell', 1: 'white'}
    >>> yaml_names("names:\\n  0: red  # a comment\\n  1: white\\nnc: 2")
    {0: 'red', 1: 'white'}
    """
    start = re.search(r"(?m)^names[ \t]*:[ \t]*", text)
    if start is None:
        return {}
    value = text[start.end() :]
    if value[:1] in ("[", "{"):
        closing = "]" if value[0] == "[" else "}"
        inside = re.match(rf"(?:{_QUOTED}|[^{closing}'\"])*", value[1:])
        matches = list(_FLOW.finditer(inside[0] if inside else ""))
    else:
        matches = _block(value.splitlines()[1:])
    names = {}
    for position, match in enumerate(matches):
        index = int(match["index"]) if match["index"] else position
        names[index] = _unquoted(match["name"].strip())[:200]
    return names


def _block(lines: list[str]) -> list[re.Match[str]]:
    matches = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            break
        matches.append(match)
    return matches


def _unquoted(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == "'":
        return name[1:-1].replace("''", "'")
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def _candidates(folder: Path) -> list[Path]:
    """Return the files that may name the classes, the most likely first."""
    folders = [folder, folder / "labels"]
    if folder.name == "labels":
        folders.append(folder.parent)
    paths = [
        path for directory in folders if directory.is_dir() for path in sorted(directory.iterdir())
    ]
    patterns = (r"data\.ya?ml", r".*\.ya?ml", r"classes\.txt", r".*\.names", r"labels\.txt")
    return [
        path
        for pattern in patterns
        for path in paths
        if re.fullmatch(pattern, path.name.lower()) and _paths.is_file(path)
    ]
