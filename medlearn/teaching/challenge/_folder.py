"""The students' folder: images of both hospitals, labels of home, a template, what to do."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from medlearn import _drafts, _files
from medlearn.teaching.challenge import _places
from medlearn.teaching.challenge._hospitals import Hospital, draw, image_ids
from medlearn.teaching.challenge._lines import course_lines
from medlearn.teaching.challenge._marking import SCORES
from medlearn.teaching.challenge._seal import Seal, new_seed, open_envelope
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

    After a kill, the next call with the same names goes on with the hospital that was drawn.

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
        For an unknown task, an envelope inside the students' folder, and an unfinished challenge of
        another task.
    FileExistsError
        If the folder holds something, or the envelope exists.
    """
    to = Path(to).expanduser()
    secret = _places.envelope_of(to) if envelope is None else Path(envelope).expanduser()
    unfinished = _places.unfinished(secret)
    is_begun = unfinished.is_file()
    _places.check(to, secret, is_begun)
    hospital, seal = _begun(unfinished, task) if is_begun else _fresh(task)
    place = to.resolve()
    _files.make_folder(place.parent, "The folder for the students")
    _drafts.remove_dead(place.parent)
    draft = _drafts.beside(place)
    try:
        _write_images(draft, hospital)
        _write_tables(draft, hospital)
        _files.write_text(draft / "README.md", _readme(hospital, seal.commitment))
        if not is_begun:
            _places.save_first(seal, unfinished)  # before the folder, which is of no use without it
        _places.put(draft, place, unfinished, secret)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return seal


def _fresh(task: str) -> tuple[Hospital, Seal]:
    seed = new_seed()
    hospital, truth = draw(task, seed)
    return hospital, Seal(task, seed, hospital.classes, truth, course_lines(hospital, truth))


def _begun(unfinished: Path, task: str) -> tuple[Hospital, Seal]:
    """Return the hospital of a challenge that a kill left unfinished."""
    seal = open_envelope(unfinished)
    remedy = f"remove {unfinished} to draw another hospital."
    if seal.task != task:
        raise ValueError(f"A challenge of {seal.task} was begun here: finish it first, or {remedy}")
    hospital, truth = draw(task, seal.seed)
    if not np.array_equal(truth.labels, seal.truth.labels):
        raise ValueError(f"Another version of the course has begun this challenge: {remedy}")
    return hospital, seal


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
    return image_ids("home", len(hospital.source_images))


def _write_tables(to: Path, hospital: Hospital) -> None:
    is_kinds = hospital.task == "kinds"
    rows = ["file,label,patient" if is_kinds else "file,mask,patient"]
    for index, name in enumerate(_home_ids(hospital)):
        truth = f"{MASKS}/{name}.png"
        if is_kinds:
            truth = hospital.classes[hospital.source_labels[index]]
        rows.append(f"{HOME}/{name}.png,{truth},{hospital.source_patients[index]}")
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
