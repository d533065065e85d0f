"""The teacher's envelope: seed, truth and the course's own answers, and a commitment to them."""

import hashlib
import json
import secrets
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medlearn import _files
from medlearn.teaching.challenge._hospitals import Truth
from medlearn.teaching.challenge._lines import Lines

SUFFIX = ".envelope.npz"
_LARGEST = 50_000_000  # bytes
_ARRAYS = ("about", "labels", "patients", "predictions")
_WHAT = "an envelope of a medlearn challenge"


@dataclass(frozen=True, eq=False)
class Seal:
    """What an envelope holds.

    Attributes
    ----------
    task : str
        The task of the challenge.
    seed : str
        The secret of which the hospitals were drawn: 64 hexadecimal digits.
    classes : tuple of str
        Names of the classes.
    truth : Truth
        Labels or masks, and patients.
    lines : Lines
        What the course itself predicted, before anybody handed in.
    """

    task: str
    seed: str
    classes: tuple[str, ...]
    truth: Truth
    lines: Lines

    @property
    def ids(self) -> list[str]:
        """Names of the images of the new hospital, in order."""
        return self.truth.ids

    @property
    def commitment(self) -> str:
        """SHA-256 of all that the envelope holds: 64 hexadecimal digits.

        Whoever has it can check later that nothing was changed, and cannot guess what it is of: the
        seed has 256 bits.
        """
        digest = hashlib.sha256(self._about().encode())
        arrays = self.truth.labels, self.lines.predictions
        for array in arrays:
            digest.update(np.ascontiguousarray(array, np.uint8).tobytes())
        digest.update("\n".join(self.truth.patients).encode())
        return digest.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the envelope, atomically.

        Parameters
        ----------
        path : str or Path
            A file that ends in .npz, and lies outside the students' folder.
        """

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:  # savez would add an ending to a name
                np.savez_compressed(
                    file,
                    about=np.array(self._about()),
                    labels=self.truth.labels.astype(np.uint8),
                    patients=self.truth.patients,
                    predictions=self.lines.predictions.astype(np.uint8),
                )

        _files.write_atomically(Path(path), write)

    def _about(self) -> str:
        facts = {
            "what": _WHAT,
            "task": self.task,
            "seed": self.seed,
            "classes": self.classes,
            "lines": self.lines.names,
            "course": self.lines.course,
            "reason": self.lines.reason,
        }
        return json.dumps(facts)


def new_seed() -> str:
    """Return a secret that nobody guesses: 256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def open_envelope(path: str | Path) -> Seal:
    """Read an envelope; nothing in it is run.

    Parameters
    ----------
    path : str or Path
        What `write` or ``course.py challenge new`` wrote.

    Returns
    -------
    Seal
        Seed, truth, and the answers of the course.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no envelope, or is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}; the envelope is the file that `challenge new` wrote beside "
            "the students' folder."
        )
    problem = f"{path} is {{}}; expected {_WHAT}, the file that `challenge new` wrote."
    if path.stat().st_size > _LARGEST:
        raise ValueError(problem.format("too large"))
    try:
        with np.load(path, allow_pickle=False) as file:
            about, labels, patients, predictions = (file[name] for name in _ARRAYS)
        facts = json.loads(str(about))
        if facts["what"] != _WHAT:
            raise ValueError
        lines = Lines(tuple(facts["lines"]), predictions, facts["course"], facts["reason"])
        truth = Truth(labels, patients)
        return Seal(facts["task"], facts["seed"], tuple(facts["classes"]), truth, lines)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(problem.format("no envelope, or a damaged one")) from error
