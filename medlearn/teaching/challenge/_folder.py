"""The students' folder: images of both hospitals, labels of home, a template, what to do."""

import os
import secrets
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn import _files
from medlearn.teaching.challenge._hospitals import Hospital, draw
from medlearn.teaching.challenge._lines import course_lines
from medlearn.teaching.challenge._marking import SCORES
from medlearn.teaching.challenge._seal import SUFFIX, Seal, new_seed
from medlearn.teaching.challenge._tables import PLACEHOLDER

HOME, AWAY, MASKS = "home", "target", "home_masks"
_TEXTS = {
    "kinds": (
        "Predict the kind of each white blood cell of the new hospital.",
        "`template.csv`: fill in the column `prediction` with one of {classes}, and the first row "
        "with one sentence of what you did. Name the file after yourself.",
    ),
    "outlines": (
        "Outline the cell in the middle of each image of the new hospital.",
        "a folder of your name with a PNG for each image of `target/`, of the same name and size, "
        "whose grey levels are 0 background, 1 cytoplasm, 2 nucleus; or a file NAME.npz by "
        "`numpy.savez_compressed(file, ids=ids, masks=masks)`, with the names in `template.csv` "
        "and uint8 masks (images, 96, 96). One sentence of what you did goes into a text file: "
        "`method.txt` in your folder, or NAME.txt beside NAME.npz.",
    ),
}
_SHARES = "The class shares of the new hospital may differ from those of home. "
_README = """# A hospital that nobody has seen

{task}

- `home/`: images of home, with their {truth}. `home.csv` names file, {column}patient.
- `target/`: images of the new hospital. There are no labels of it here, and you need none.
- Hand in: {handin}

The score is {score}. The board also shows the gain over a model of home as it is (source only), the
regret against the best of the course's candidates, and harm: more than .02 below source only.

{shares}All images are simulated. The hospital was drawn from 256 random bits, which are in the
teacher's envelope and nowhere in this folder. The teacher may publish the envelope afterwards: its
commitment must then be

    {commitment}
"""


def write(to: str | Path, task: str = "kinds", envelope: str | Path | None = None) -> Seal:
    """Draw a fresh hospital; write the students' folder and, outside it, the teacher's envelope.

    Parameters
    ----------
    to : str or Path
        A new or empty folder for the students.
    task : {"kinds", "outlines"}
        What is to be predicted.
    envelope : str or Path, optional
        File for the teacher; by default it lies beside the folder.

    Returns
    -------
    Seal
        What the envelope holds.

    Raises
    ------
    ValueError
        For an unknown task, and an envelope inside the students' folder.
    FileExistsError
        If the folder holds something, or the envelope exists.
    """
    to = Path(to).expanduser()
    secret = envelope_of(to) if envelope is None else Path(envelope).expanduser()
    _check_paths(to, secret)
    seed = new_seed()
    hospital, truth = draw(task, seed)
    seal = Seal(task, seed, hospital.classes, truth, course_lines(hospital, truth))
    place = to.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    try:
        _write_images(draft, hospital)
        _write_tables(draft, hospital)
        _files.write_text(draft / "README.md", _readme(hospital, seal.commitment))
        seal.save(secret)  # before the folder, which is of no use without it
        _put(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return seal


def _put(draft: Path, place: Path) -> None:
    """Give a finished folder its name; in an empty folder that is there, its content."""
    if not place.exists():
        os.replace(draft, place)
        return
    for path in sorted(draft.iterdir()):
        os.replace(path, place / path.name)


def envelope_of(folder: Path) -> Path:
    """Return where the envelope of a students' folder lies by default: beside it.

    Parameters
    ----------
    folder : Path
        The students' folder.
    """
    folder = folder.resolve()
    return folder.with_name(folder.name + SUFFIX)


def _check_paths(to: Path, envelope: Path) -> None:
    if to.exists() and not to.is_dir():
        raise FileExistsError(f"{to} is a file: name a new or empty folder for the students.")
    if to.is_dir() and any(to.iterdir()):
        raise FileExistsError(f"{to} holds something: name a new or empty folder.")
    if envelope.exists():
        raise FileExistsError(
            f"The envelope {envelope} exists, and without it its challenge cannot be marked: "
            "choose another name."
        )
    if envelope.suffix != ".npz":
        raise ValueError(f"The envelope {envelope} should end in .npz.")
    if envelope.resolve().is_relative_to(to.resolve()):
        raise ValueError(
            f"The envelope {envelope} would lie in the students' folder, where all could open it: "
            "choose a place outside."
        )
    if not envelope.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {envelope.parent}: make it first.")


def _write_images(to: Path, hospital: Hospital) -> None:
    _write_pngs(to / HOME, _home_ids(hospital), hospital.source_images)
    _write_pngs(to / AWAY, hospital.ids, hospital.target_images)
    if hospital.task == "outlines":
        _write_pngs(to / MASKS, _home_ids(hospital), hospital.source_labels)


def _write_pngs(folder: Path, names: list[str], images: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")


def _home_ids(hospital: Hospital) -> list[str]:
    return [f"home-{number:03d}" for number in range(1, len(hospital.source_images) + 1)]


def _write_tables(to: Path, hospital: Hospital) -> None:
    is_kinds = hospital.task == "kinds"
    rows = ["file,label,patient" if is_kinds else "file,mask,patient"]
    for index, name in enumerate(_home_ids(hospital)):
        label = hospital.source_labels[index] if is_kinds else 0
        middle = hospital.classes[label] if is_kinds else f"{MASKS}/{name}.png"
        rows.append(f"{HOME}/{name}.png,{middle},{hospital.source_patients[index]}")
    _files.write_text(to / "home.csv", "\n".join(rows) + "\n")
    template = ["id", *hospital.ids]
    if is_kinds:
        template = [f"# method: {PLACEHOLDER}", "id,prediction", *(f"{id}," for id in hospital.ids)]
    _files.write_text(to / "template.csv", "\n".join(template) + "\n")


def _readme(hospital: Hospital, commitment: str) -> str:
    task, handin = _TEXTS[hospital.task]
    is_kinds = hospital.task == "kinds"
    return _README.format(
        task=task,
        truth="labels" if is_kinds else "masks (`home_masks/`)",
        column="label and " if is_kinds else "mask and ",
        handin=handin.format(classes=", ".join(hospital.classes)),
        score=SCORES[hospital.task],
        shares=_SHARES if is_kinds else "",
        commitment=commitment,
    )
