"""Which mask belongs to which picture, by the names of their files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from medlearn.datasets.readers import _paths
from medlearn.datasets.readers._problems import Problems

_TRIED = 200  # masks whose names are looked at for a common prefix or suffix
_Files = dict[str, list[Path]]  # by the name without its ending


def matched(names: Sequence[str], mask_root: Path, root: Path, problems: Problems) -> dict:
    """Return the mask file of each picture that has exactly one, by the name of the picture.

    Names match without their endings. Where masks share a prefix or a suffix, such as
    ``07_mask.png`` for ``07.jpg``, it is found and taken off.

    Parameters
    ----------
    names : sequence of str
        The pictures.
    mask_root, root : Path
        The folders of the masks and of the pictures.
    problems : Problems
        Gets a row for what is not named alike, for several masks of one picture, and for masks that
        are not used.

    Raises
    ------
    ValueError
        If both are one folder.
    """
    if mask_root.resolve() == root.resolve():
        raise ValueError(
            f"Pictures and masks are one folder, {str(root)!r}: move the masks into a folder of "
            "their own."
        )
    listed = list(_paths.files_below(mask_root))
    stems = {name: _stem(name) for name in names}
    files = _by_stem({name: _stem(name) for _, name in listed}, mask_root)
    matches = _found(stems, files)
    if not matches:
        prefix, suffix = _common_affixes(list(stems.values()), list(files))
        cut = {stem: stem[len(prefix) : len(stem) - len(suffix)] for stem in files}
        bare = _by_stem({name: cut[_stem(name)] for _, name in listed}, mask_root)
        matches = _found(stems, bare)
        if any(len(paths) == 1 for paths in matches.values()):
            problems.add(
                mask_root.name,
                f"the masks are named like the pictures with {prefix + '...' + suffix!r}",
                "nothing: they were matched so",
            )
    if stems and not matches:
        problems.add(
            mask_root.name,
            f"no mask is named like a picture: pictures such as {min(stems.values())!r}, masks "
            f"such as {min(files, default='none')!r}",
            "name each mask like its picture; the ending may differ",
        )
        return {}
    _report_unused([path for path, _ in listed], matches, mask_root, problems)
    _report_shared(matches, problems)
    _report_several(matches, mask_root, problems)
    return {name: paths[0] for name, paths in matches.items() if len(paths) == 1}


def _stem(name: str) -> str:
    """Return the path of a file without its ending; a number at the end belongs to the name."""
    path = PurePosixPath(name)
    return name if path.suffix[1:].isdigit() else path.with_suffix("").as_posix()


def _by_stem(stems: Mapping[str, str], folder: Path) -> _Files:
    files: _Files = {}
    for name, stem in stems.items():
        files.setdefault(stem, []).append(folder / name)
    return files


def _found(stems: Mapping[str, str], files: _Files) -> _Files:
    """Return the masks of each picture that has some; other capitals or accents may match."""
    spellings: dict[str, list[str]] = {}
    for stem in files:
        spellings.setdefault(_paths.key(stem), []).append(stem)
    matches = {}
    exact = set(stems.values())
    for name, stem in stems.items():
        similar = [match for match in spellings.get(_paths.key(stem), []) if match not in exact]
        match = stem if stem in files else similar[0] if len(similar) == 1 else None
        if match is not None:
            matches[name] = files[match]
    return matches


def _report_unused(files: list[Path], matches: _Files, folder: Path, problems: Problems) -> None:
    used = {path for paths in matches.values() for path in paths}
    unused = [path for path in files if path not in used]
    if unused:
        problems.add(
            folder.name,
            f"{len(unused)} masks belong to no picture, such as "
            f"{unused[0].relative_to(folder).as_posix()}: they were not used",
            "if a picture has several masks, draw them into one; else name them like their "
            "pictures",
        )


def _report_shared(matches: _Files, problems: Problems) -> None:
    pictures: dict[Path, list[str]] = {}
    for name, paths in matches.items():
        pictures.setdefault(paths[0], []).append(name)
    for names in pictures.values():
        if len(names) > 1:
            problems.add(
                names[1],
                f"the picture {names[0]} has the same name with another ending: both have one mask",
                "take one of them out, or give each a mask of its own",
            )


def _report_several(matches: _Files, folder: Path, problems: Problems) -> None:
    several = [paths for paths in matches.values() if len(paths) > 1]
    if several:
        example = " and ".join(path.relative_to(folder).as_posix() for path in several[0][:2])
        problems.add(
            folder.name,
            f"{len(several)} pictures have several masks of one name, such as {example}",
            "keep one of them: none was used",
        )


def _common_affixes(stems: list[str], mask_stems: list[str]) -> tuple[str, str]:
    """Return what stands before and after the names of pictures in the names of masks."""
    affixes: Counter[tuple[str, str]] = Counter()
    for mask_stem in mask_stems[:_TRIED]:
        inside = [stem for stem in stems if stem and stem in mask_stem]
        if inside:
            before, _, after = mask_stem.partition(max(inside, key=len))
            affixes[before, after] += 1
    return affixes.most_common(1)[0][0] if affixes else ("", "")
