"""A folder of files: the names of its sub-folders say class, patient and site."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from medlearn.datasets.readers import _cache, _paths, _patterns, _words
from medlearn.datasets.readers._frame import Window
from medlearn.datasets.readers._gather import Entry, read_entries, real_paths, to_dataset
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._problems import Problems, ReadResult

LEVELS = ("site", "class", "patient")


def from_folder(
    path: str | Path,
    *,
    layout: str = "class",
    size: int = 128,
    fit: str = "crop",
    window: Window | None = None,
    slices: int = 8,
    rename: Mapping[str, str] | None = None,
    patient_pattern: str | None = None,
    study: str | None = None,
    cache: bool = True,
) -> ReadResult:
    """Read every picture below a folder as a data set, and list its problems.

    DICOM, NIfTI, PNG, JPEG, TIFF and BMP are recognised by their content. Patients get pseudonyms,
    also in the names of files; where neither a folder nor a DICOM header names them,
    ``patients_known`` is False.

    Parameters
    ----------
    path : str or Path
        The folder.
    layout : str
        What the levels of sub-folders mean, outermost first: words of site, class and patient with
        "/" between, such as ``"site/class/patient"``; "" if they mean nothing. Deeper folders are
        searched too.
    size : int
        Pixels a side of the square, 28 to 1024.
    fit : {"crop", "letterbox"}
        Whether the central square of each picture is cut out, or the whole picture is kept, with
        black above and below or left and right.
    window : (float, float), optional
        Centre and width for deep greys, in the units of the file. Default: as the file says, or
        else by percentiles.
    slices : int
        At most so many slices of a volume or frames of a file, 1 to 1000.
    rename : mapping of str to str, optional
        New names of labels, such as ``{"Benign": "benign"}``; several may become one.
    patient_pattern : str, optional
        A regular expression that is searched in the path of each file below the folder. Its group
        "patient" is the patient and its group "site", if it has one, the site:
        ``r"(?P<site>[A-Z]+)_(?P<patient>[0-9]+)_"`` for ``A_0071_2.png``.
    study : str, optional
        Name of a study with a secret of its own for the pseudonyms of its patients. Within one
        study a patient has one pseudonym in all folders and tables.
    cache : bool
        Keep the decoded pictures in the cache folder (``MEDLEARN_CACHE``), so that the next call on
        unchanged files is quick. Texts such as file names are enciphered there, pictures are not:
        pass False where no copy may lie on this disk.

    Returns
    -------
    ReadResult
        ``dataset`` and ``problems``. What is wrong with a file is a row of problems.

    Raises
    ------
    ValueError
        For a folder that does not exist, and for arguments out of range.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> from medlearn import datasets
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "ill").mkdir()
    >>> Image.radial_gradient("L").save(folder / "ill" / "a.png")
    >>> result = datasets.from_folder(folder, size=64)
    >>> result.dataset.classes, len(result.problems)
    (('ill',), 0)
    """
    options = Options(size, window, slices, study, fit)
    levels = _levels(layout)
    pattern = _patterns.checked(patient_pattern)
    twice = sorted(set(levels) & set(pattern.groupindex if pattern else ()))
    if twice:
        raise ValueError(
            f"Both layout and patient_pattern name the {' and the '.join(twice)}: leave out one."
        )
    new_names = _words.checked_renaming(rename)
    root = _paths.folder(path)
    problems = Problems()
    entries = _entries(root, levels, layout, new_names, problems)
    _words.report_similar_labels([entry.label for entry in entries], root.name, problems)
    if not entries:
        problems.add(
            "", "the folder holds no file to read", f"check the path and the layout {layout!r}"
        )
    entries = _patterns.applied(pattern, entries, problems)
    source = _cache.Source("folder", root, entries, options, (root.name, patient_pattern))
    decode = partial(_decoded, root, entries, options, problems, patient_pattern is None)
    return _cache.result(source, problems, decode, cache)


def _decoded(
    root: Path, entries: list[Entry], options: Options, problems: Problems, suggest: bool
) -> ReadResult:
    """Return what is in the files, with a pattern of patients suggested if wanted."""
    pictures = read_entries(entries, root, options, problems)
    dataset = to_dataset(root.name, pictures, options, problems)
    if suggest:
        _patterns.suggest(pictures, problems)
    return ReadResult(dataset, problems.table(), real_paths(entries, pictures, options))


def _entries(
    root: Path, levels: list[str], layout: str, new_names: Mapping[str, str], problems: Problems
) -> list[Entry]:
    """Return the files that lie deep enough, with what their folders mean."""
    entries = []
    files = list(_paths.files_below(root))
    if _is_split(files, len(levels)):
        levels = ["split", *levels]
        problems.add(
            root.name,
            "the outermost folders are the parts of a split, such as train and test, no classes",
            "nothing: they are the column split of the data set",
        )
    for file, name in files:
        folders = name.split("/")[:-1]
        if len(folders) < len(levels) and not file.is_dir():
            problems.add(
                name,
                f"it lies {len(folders)} folders deep, and the layout {layout!r} has {len(levels)}",
                "move it into its folder, or pass another layout",
            )
            continue
        meaning = dict(zip(levels, folders))
        label = _words.folder_name(meaning["class"]) if "class" in meaning else ""
        label = new_names.get(label, label)
        patient, site = meaning.get("patient", ""), meaning.get("site", "")
        split = _words.PARTS.get(meaning.get("split", "").casefold(), "")
        entries.append(Entry(file, name, label, patient, site, split=split))
    return entries


def _is_split(files: list[tuple[Path, str]], depth: int) -> bool:
    """Say whether the outermost folders are parts of a split, with the levels below them."""
    folders = [name.split("/")[:-1] for _, name in files]
    outermost = {names[0].casefold() for names in folders if names}
    is_deep = bool(folders) and all(len(names) > depth for names in folders if names)
    return len(outermost) > 1 and outermost <= set(_words.PARTS) and is_deep


def _levels(layout: str) -> list[str]:
    levels = layout.split("/") if layout else []
    if len(set(levels)) != len(levels) or not set(levels) <= set(LEVELS):
        raise ValueError(
            f"layout must be words of {', '.join(LEVELS)} with / between, each at most once; it "
            f"was {layout!r}."
        )
    return levels
