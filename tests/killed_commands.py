"""Kill a long command at random moments, look at what it left, and start it again.

    python tests/killed_commands.py COUNT [NAME ...]     # prints how often each was killed

Each command works in a forked process on a copy of a folder with older results, and is killed with
SIGKILL at a random moment of the time that it takes. Then each file that has its name must hold
what it held before or what the whole command writes, and the next start must leave what the whole
command leaves, and no draft. A lesson's kernel, Sphinx, a browser, a segmenter and the drawing of a
hospital have quick stand-ins, so that the kills fall upon the writing and not upon minutes of
computing.

test_faults.py kills each command a few times, benchmarks/reliability.py twenty times.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import commandline  # noqa: E402
import sealed_hospitals as made  # noqa: E402
from nbformat.v4 import new_output  # noqa: E402
from PIL import Image  # noqa: E402

from common import table  # first: it sets the threads  # noqa: E402
from medlearn import _files, datasets, inference, training  # noqa: E402
from medlearn._keras import keras, tf  # noqa: E402
from medlearn.datasets.readers import _identity  # noqa: E402
from medlearn.inference import Predictor  # noqa: E402
from medlearn.teaching import challenge  # noqa: E402
from medlearn.teaching.challenge import _folder  # noqa: E402
from tools import challenge as marking  # noqa: E402
from tools import collect, handouts, lessons, predict, running, student  # noqa: E402
from tools.site import building  # noqa: E402

TRIES = 4  # times as many workers as kills: one may have finished before
IMAGES = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
State = dict[str, bytes]


@dataclass(frozen=True)
class Command:
    """What is killed: how the older results are made, and what the command does."""

    work: Callable[[Path], object]
    prepare: Callable[[Path], object] = lambda folder: None
    shown: Callable[[Path], State] | None = None  # what must be old or new; default: all files


def files(folder: Path) -> State:
    """The content of all files that have their names; drafts and locks are hidden or marked."""
    contents = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and ".lock" not in path.name:
            contents[name.as_posix()] = path.read_bytes()
    return contents


# ---- the commands --------------------------------------------------------------------------------


def _collect(folder: Path) -> None:
    list(collect.write(folder / "class", folder / "class.csv"))


def _class(folder: Path) -> None:
    for number in range(40):
        (folder / "class").mkdir(exist_ok=True)
        progress = "id,attempts,solved\n01.1,2,True\n02.1,1,False\n"
        (folder / "class" / f"person {number}.csv").write_text(progress)
    (folder / "class.csv").write_text("student,solved\nsomebody,0\n")


def _save(folder: Path) -> None:
    def execute(notebook, *_):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [new_output("stream", name="stdout", text="new\n" * 50_000)]

    running.execute = execute
    list(running.run([folder / "01_a.ipynb"], save=True))


def _lesson(folder: Path) -> None:
    notebook = commandline.notebook("print(1)", "print(2)")
    lessons.save(notebook, folder / "01_a.ipynb")


def _site(folder: Path) -> None:
    def run_sphinx(source, built, repository, options):
        built.mkdir()
        for number in range(300):
            (built / f"{number}.html").write_text("new" * 10_000)

    building.gather = lambda *_: []
    building._run_sphinx = run_sphinx
    building.write(folder / "site")


def _older_site(folder: Path) -> None:
    (folder / "site").mkdir()
    (folder / "site" / building.MARK).touch()
    for number in range(0, 400, 2):
        (folder / "site" / f"{number}.html").write_text("old" * 10_000)


def _student(folder: Path) -> None:
    list(student.write(folder / "copies"))


def _hospital(folder: Path) -> None:
    """The second start of a killed `challenge new` takes what is there, or makes it."""
    kinds = made.kinds(60)
    size = (60, 40, 40, 3)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    patients = np.array([f"home-p{number:02d}" for number in range(60)])
    _folder.new_seed = lambda: made.SEED
    hospital = challenge.Hospital(
        "kinds", made.CLASSES, images, kinds.truth.labels, patients, images[::-1]
    )
    _folder.draw = lambda *_: (hospital, kinds.truth)
    _folder.course_lines = lambda *_: kinds.lines
    if not challenge.envelope_of(folder / "students").exists():
        challenge.write(folder / "students")


def _board(folder: Path) -> None:
    names = folder / "hand-ins", folder / "seal.npz", folder / "board.html"
    list(marking.mark(*names, force=True))


def _hand_ins(folder: Path) -> None:
    seal = made.kinds()
    seal.save(folder / "seal.npz")
    (folder / "hand-ins").mkdir()
    for name in "abc":
        (folder / "hand-ins" / f"{name}.csv").write_text(made.table(seal))
    (folder / "board.html").write_text("old")
    (folder / "board.csv").write_text("old")


def _bench(folder: Path) -> None:
    os.environ["MEDLEARN_RESULTS"] = str(folder)
    arguments = argparse.Namespace(only="", minutes=1e9)
    rows = [(number,) for number in range(60)]
    table.grow("toy", arguments, ("row",), ("square",), rows, lambda row: {"square": row**2})


def _rows(folder: Path) -> State:
    """Each row of a table counts for itself, without the minute in which it was measured."""
    path = folder / "toy.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
    rows = [line for line in lines if line[0].isdigit()]
    assert len(set(rows)) == len(rows) and all(line.endswith("\n") for line in lines)
    return {row.split(",")[0]: ",".join(row.split(",")[:2]).encode() for row in rows}


def _train(folder: Path) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    data = training.batches(IMAGES, np.arange(48) % 3, batch_size=8)
    training.fit(model, data, 6, folder=folder / "run", every=2)
    _files.write_bytes(folder / "weights", b"".join(part.tobytes() for part in model.get_weights()))


def _simulate(folder: Path) -> None:
    os.environ["MEDLEARN_CACHE"] = str(folder / "cache")
    cells = datasets.load("smear", domain="lab-a", count=60, size=32)
    _files.write_bytes(folder / "cells", cells.images.tobytes())


def _read(folder: Path) -> None:
    os.environ["MEDLEARN_CACHE"] = str(folder / "cache")
    images = datasets.from_folder(folder / "mine", layout="class", size=64).dataset.images
    _files.write_bytes(folder / "images", images.tobytes())


def _pictures(folder: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(40):
        directory = folder / "mine" / "ab"[number % 2]
        directory.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (200, 200, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(directory / f"{number}.png")


def _mark_cache(folder: Path) -> None:
    os.environ["MEDLEARN_CACHE"] = str(folder / "cache")
    assert _files.is_marked(_files.cache()), "the cache is not known as one of medlearn"
    secret = _identity.secret("study")
    assert secret == _identity.secret("study") != _identity.secret()


def _predict(folder: Path) -> None:
    """Masks and a table; the stand-in for a segmenter takes brightness for its probability."""

    def probabilities(images, **_):
        bright = images.mean(-1) / 255
        return np.stack([1 - bright, bright], axis=-1)

    model = SimpleNamespace(predict=probabilities)
    anything = SimpleNamespace(problems=lambda images, *_: [""] * len(images))
    classes = ("background", "cell")
    inference.load = lambda _: Predictor(model, "segmentation", classes, (64, 64), anything)
    os.chdir(folder)  # the table names the masks
    list(predict.write(Path("model"), Path("mine"), Path("table.csv"), Path("masks")))


def _older_answers(folder: Path) -> None:
    """Answers for other pictures of the same names."""
    _pictures(folder)
    finish(Command(_predict), folder)
    for path in folder.glob("mine/*/*.png"):
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def _handouts(folder: Path) -> None:
    def run(command, **_):
        option = next(word for word in command if word.startswith("--print-to-pdf="))
        Path(option.partition("=")[2]).write_bytes(b"%PDF" + b"new" * 300_000 + b"%%EOF")

    handouts.find_browser = lambda: "browser"
    handouts.subprocess = SimpleNamespace(run=run, TimeoutExpired=TimeoutError)
    list(handouts.write(folder / "printed"))


def _result(name: str) -> Callable[[Path], State]:
    """Only the result counts: checkpoints and caches are judged by what comes of them."""
    return lambda folder: {key: text for key, text in files(folder).items() if key == name}


COMMANDS = {
    "collect": Command(_collect, _class),
    "run --save": Command(_save, _lesson),
    "site": Command(_site, _older_site),
    "student": Command(_student),
    "challenge new": Command(_hospital),
    "challenge mark": Command(_board, _hand_ins),
    "bench": Command(_bench, shown=_rows),
    "training": Command(_train, shown=_result("weights")),
    "simulated sets": Command(_simulate, shown=_result("cells")),
    "own pictures": Command(_read, _pictures, _result("images")),
    "a new cache": Command(_mark_cache, shown=lambda folder: {}),
    "predict": Command(_predict, _older_answers),
    "handouts": Command(_handouts),
}


# ---- kills ---------------------------------------------------------------------------------------


def start(command: Command, folder: Path) -> int:
    """Fork a process that does the work; returns its number."""
    worker = os.fork()
    if worker:
        return worker
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        command.work(folder)
        code = 0
    finally:
        os._exit(code)


def finish(command: Command, folder: Path) -> float:
    """Do the whole work in a process of its own; returns its seconds."""
    began = time.monotonic()
    assert os.waitpid(start(command, folder), 0)[1] == 0, "the command failed"
    return time.monotonic() - began


def kills(name: str, count: int) -> dict[str, int]:
    """Kill a command so many times; raises AssertionError for what is neither old nor new."""
    command, random, killed = COMMANDS[name], np.random.default_rng(count), 0
    shown = command.shown or files
    with tempfile.TemporaryDirectory(prefix="un dossier é ") as scratch:
        before, after = Path(scratch, "before"), Path(scratch, "after")
        before.mkdir()
        command.prepare(before)
        shutil.copytree(before, after)
        seconds = finish(command, after)
        allowed = {**_states(shown(before)), **_states(shown(after))}
        for number in range(TRIES * count):
            folder = Path(scratch, str(number))
            shutil.copytree(before, folder)
            worker = start(command, folder)
            time.sleep(float(random.uniform(0, seconds)))
            os.kill(worker, signal.SIGKILL)
            killed += os.waitpid(worker, 0)[1] == signal.SIGKILL
            half = [state[0] for state in _states(shown(folder)) if state not in allowed]
            assert not half, f"{name}: neither old nor new: {half[:3]}"
            finish(command, folder)
            assert shown(folder) == shown(after), f"{name}: the next start left something else"
            drafts = [path.name for path in folder.rglob(".*.partial")]
            assert not drafts, f"{name}: the next start left the drafts {drafts}"
            shutil.rmtree(folder)
            if killed == count:
                break
    return {"killed": killed, "repaired": killed}


def _states(state: State) -> dict[tuple[str, bytes], None]:
    return dict.fromkeys(state.items())


if __name__ == "__main__":
    tf.config.set_visible_devices([], "GPU")
    for name in sys.argv[2:] or COMMANDS:
        print(json.dumps({"name": name} | kills(name, int(sys.argv[1]))), flush=True)
