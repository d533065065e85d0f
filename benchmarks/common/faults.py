"""Processes killed at random moments: downloads, extractions, written features, long commands.

`kills` starts a second process (common/killed.py), which forks a worker for each seed, kills it at
a random moment of the phase with SIGKILL, looks at what it left, and does the work again.
`kills_of` does the same to the commands of the course, by tests/killed_commands.py; `nbval` plays
all lessons as tests.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from common.archives import zipped
from common.loopback import Server

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
KILLS = ("download", "extraction", "features")
COMMANDS = (
    "collect",
    "run --save",
    "site",
    "student",
    "challenge new",
    "challenge mark",
    "bench",
    "training",
    "simulated sets",
    "own pictures",
    "a new cache",
    "predict",
    "handouts",
)
RNG = np.random.default_rng(0)
FILES = {f"images/{number:02d} é.bin": RNG.bytes(60_000) for number in range(40)}
SUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
PACE = {"download": 40_000}  # bytes per hundredth of a second; otherwise all at once


def kills(phase: str, seeds: range) -> dict[str, int]:
    """Kill workers in the act, and count what the next call repairs.

    Parameters
    ----------
    phase : {"download", "extraction", "features"}
        What the workers do.
    seeds : range
        One worker for each.

    Returns
    -------
    dict
        "killed": workers killed while at it; "repaired": those of them that left nothing
        half-written to read and whose work the next call did.

    Raises
    ------
    AssertionError
        If something half-written was read, or was not repaired.
    """
    content = zipped({f"set-1/{path}": data for path, data in FILES.items()})
    folder = tempfile.TemporaryDirectory(prefix="un cache é ")
    with Server(content, pace=PACE.get(phase)) as server, folder as cache:
        command = [sys.executable, "-m", "common.killed", phase, server.address]
        ran = subprocess.run(
            [*command, str(seeds.start), str(seeds.stop)],
            cwd=BENCHMARKS,
            capture_output=True,
            text=True,
            env=_environment(cache),
            timeout=60 + 5 * len(seeds),
        )
    if ran.returncode:
        raise AssertionError(ran.stderr[-3000:])
    return json.loads(ran.stdout.splitlines()[-1])


def kills_of(command: str, count: int) -> dict[str, int]:
    """Kill a command of the course at random moments, and start it again.

    Parameters
    ----------
    command : str
        One of `COMMANDS`.
    count : int
        So many kills.

    Returns
    -------
    dict
        "killed" and "repaired", as of `kills`.

    Raises
    ------
    AssertionError
        If a kill left something that is neither old nor new, or the next start did not go on.
    """
    program = str(ROOT / "tests" / "killed_commands.py")
    ran = _python([program, str(count), command])
    if ran.returncode:
        raise AssertionError(ran.stderr[-3000:])
    result = json.loads(ran.stdout.splitlines()[-1])
    return {name: result[name] for name in ("killed", "repaired")}


def nbval() -> dict[str, int]:
    """Play all lessons as tests, once.

    Returns
    -------
    dict
        "tried": cells and proofs that were played; "surprises": those that failed.
    """
    notebooks = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    ran = _python(["-P", "-m", "tools", "test", *(f"notebooks/{name}" for name in notebooks)])
    counts = {word: _count(word, ran.stdout) for word in ("passed", "failed", "error")}
    failed = counts["failed"] + counts["error"]
    return {"tried": sum(counts.values()), "surprises": max(failed, int(ran.returncode != 0))}


def _count(word: str, text: str) -> int:
    """The number before a word in pytest's last line, as in "3 failed, 900 passed"."""
    numbers = re.findall(rf"(\d+) {word}", text)
    return int(numbers[-1]) if numbers else 0


def _python(words: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MEDLEARN_MIRROR"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, env=environment
    )


def _environment(cache: str) -> dict[str, str]:
    """The environment of the second process: a cache of its own, no mirror, no proxy."""
    changed = {"MEDLEARN_CACHE": cache, "no_proxy": "*", "OPENBLAS_NUM_THREADS": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "MEDLEARN_MIRROR"}
    return environment | changed
