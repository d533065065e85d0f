"""From a list of files to one Dataset: read one by one, sorted, and compared with each other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medlearn import _progress
from medlearn._dataset import Dataset
from medlearn.datasets._arrays import LICENCE, ONE_DOMAIN
from medlearn.datasets.readers import (
    _duplicates,
    _fit,
    _formats,
    _identity,
    _paths,
    _patients,
    _words,
)
from medlearn.datasets.readers._frame import Frame, contrast_warnings
from medlearn.datasets.readers._options import Options
from medlearn.datasets.readers._patients import Mention
from medlearn.datasets.readers._problems import Problems, Unreadable


@dataclass(frozen=True)
class Entry:
    """A file to read, and what its folder or its table says about it ("" where nothing).

    `name` is the file as the user names it, and `row` its row in the table. `patient_span` is
    where in the name a pattern found the patient. `findings` are the labels of an image that may
    have several, with 0, 1 or NaN.
    """

    path: Path
    name: str
    label: str = ""
    patient: str = ""
    site: str = ""
    row: int | str = ""
    split: str = ""
    patient_span: tuple[int, int] | None = None
    findings: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Picture:
    """One picture that was read: its entry, its pixels at the size of the data set, and its facts.

    `file` is the name of the file without the patient's identifier; patients and series are
    pseudonyms.
    `annotation` is what `annotate` of `read_entries` returned, such as a mask or boxes.
    """

    entry: Entry
    file: str
    pixels: np.ndarray
    spacing: np.ndarray
    patient: str
    series: str
    index_in_series: int
    mention: Mention
    annotation: Any = None


Annotate = Callable[[Entry, Frame], Any]


def read_entries(
    entries: Iterable[Entry],
    root: Path,
    options: Options,
    problems: Problems,
    annotate: Annotate | None = None,
) -> list[Picture]:
    """Read files one by one; those that cannot be read become rows of problems.

    Parameters
    ----------
    entries : iterable of Entry
        The files.
    root : Path
        The folder that they must lie in; others are not opened.
    options : Options
        How to read them.
    problems : Problems
        Gets a row for each file that cannot be read, and for each warning.
    annotate : callable, optional
        Called with the entry and each picture at its full size. It returns what belongs to the
        picture, or raises Unreadable, which leaves the file out.

    Returns
    -------
    list of Picture
        Sorted by folder and file; the slices of a series by their index.
    """
    pictures = []
    root = root.resolve()
    entries = list(entries)
    from_zero = _patients.counts_from_zero(entry.patient for entry in entries)
    for entry in _progress.bar(entries, "files"):
        read: list[Picture] = []
        notes: list[tuple[str, str]] = []
        try:
            _paths.check_below(entry.path, root)
            for frame in _formats.read(entry.path, options.window, options.slices):
                annotation = annotate(entry, frame) if annotate else None
                read.append(_picture(entry, frame, annotation, options, from_zero))
                notes += _notes(frame)
        except Unreadable as error:
            problems.hide({entry.name: _shown(entry, entry.patient, options)})
            problems.add_unreadable(entry.name, error, entry.row)
            continue
        problems.hide({entry.name: read[0].file})
        for problem, fix in dict.fromkeys(notes):
            problems.add(read[0].file, problem, fix, entry.row)
        pictures += read
    return _sorted(pictures)


def to_dataset(
    name: str, pictures: Sequence[Picture], options: Options, problems: Problems, **columns: Any
) -> Dataset:
    """Make a data set of pictures; copies among them become rows of problems.

    Parameters
    ----------
    name : str
        Of the data set.
    pictures : sequence of Picture
        What `read_entries` returned.
    options : Options
        How they were read.
    problems : Problems
        Gets a row for each copy that a split could part.
    **columns
        Further fields of the Dataset, such as boxes or masks; they replace those made here.
    """
    files = [picture.file for picture in pictures]
    labels = [picture.entry.label for picture in pictures]
    patients = [picture.patient for picture in pictures]
    classes = _words.sorted_classes(labels)
    index_of = {label: index for index, label in enumerate(classes)}
    _patients.report([picture.mention for picture in pictures], problems)
    fields: dict[str, Any] = {
        "spacing": np.array([picture.spacing for picture in pictures], float).reshape(-1, 2),
        "domains": np.array([picture.entry.site or ONE_DOMAIN for picture in pictures], str),
        "patients": np.array(list(map(_patient_or_file, patients, files)), str),
        "patients_known": bool(patients) and all(patients),
        "classes": classes,
        "labels": np.array([index_of[label] for label in labels]) if classes else None,
    }
    pixels = np.array([picture.pixels for picture in pictures], np.uint8)
    fields["images"] = pixels.reshape(-1, options.size, options.size, 3)
    if any(picture.entry.split for picture in pictures):
        fields["split"] = np.array([picture.entry.split for picture in pictures], str)
    fields["facts"] = {
        "file": np.array(files, str),
        "series": np.array([picture.series for picture in pictures], str),
        "index_in_series": np.array([picture.index_in_series for picture in pictures], int),
    }
    dataset = Dataset(name=name, licence=LICENCE, fit=options.fit, **(fields | columns))
    _duplicates.report(dataset, problems)
    return dataset


def real_paths(
    entries: Sequence[Entry], pictures: Sequence[Picture], options: Options
) -> dict[str, Path]:
    """Return where the files are that results show under names without patients.

    Parameters
    ----------
    entries : sequence of Entry
        All files, those that could not be read included.
    pictures : sequence of Picture
        What `read_entries` returned.
    options : Options
        How they were read.
    """
    paths = {_shown(entry, entry.patient, options): entry.path for entry in entries}
    return paths | {picture.file: picture.entry.path for picture in pictures}


def _shown(entry: Entry, identifier: str, options: Options) -> str:
    """Return the name of a file in which the patient's identifier is a pseudonym."""
    return _identity.hidden(entry.name, identifier, options.study, entry.patient_span)


def _notes(frame: Frame) -> tuple[tuple[str, str], ...]:
    return frame.warnings + contrast_warnings(frame.pixels)


def _picture(
    entry: Entry, frame: Frame, annotation: Any, options: Options, from_zero: bool
) -> Picture:
    """Return a picture at the size of the data set; its full size is not kept."""
    height, width = frame.pixels.shape[:2]
    size, identifier = options.size, entry.patient or frame.patient
    file = _shown(entry, identifier, options)
    is_nobody = _patients.is_placeholder(identifier, counts_from_zero=from_zero)
    patient = "" if is_nobody else identifier
    return Picture(
        entry=entry,
        file=file,
        pixels=_fit.pixels(frame.pixels, size, options.fit),
        spacing=_fit.spacing(np.array(frame.spacing, float), height, width, size, options.fit),
        patient=_identity.pseudonym(patient, options.study),
        series=_identity.pseudonym(frame.series, options.study),
        index_in_series=frame.index_in_series,
        mention=Mention(identifier, entry.site, file),
        annotation=annotation,
    )


def _patient_or_file(patient: str, file: str) -> str:
    """Return the patient, or an id that only the pictures of this file share."""
    return patient or f"unknown-{file}"


def _sorted(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures by folder and file; those of a series follow its first file, by index."""
    first_of_series: dict[tuple[str, str], str] = {}
    for picture in sorted(pictures, key=lambda picture: picture.entry.name):
        series = str(picture.entry.path.parent), picture.series
        first_of_series.setdefault(series, picture.entry.name)

    def key(picture: Picture) -> tuple:
        folder, name = str(picture.entry.path.parent), picture.entry.name
        if not picture.series:
            return folder, name, 0, name
        first = first_of_series[folder, picture.series]
        return folder, first, picture.index_in_series, name

    return sorted(pictures, key=key)
