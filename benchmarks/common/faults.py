"""Processes killed at random moments of a download, an extraction, and the writing of features.

`kills` starts a second process (common/killed.py), which forks a worker for each seed, kills it at
a random moment of the phase with SIGKILL, looks at what it left, and does the work again.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from common.archives import zipped
from common.loopback import Server

BENCHMARKS = Path(__file__).resolve().parents[1]
KILLS = ("download", "extraction", "features")
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


def _environment(cache: str) -> dict[str, str]:
    """The environment of the second process: a cache of its own, no mirror, no proxy."""
    changed = {"MEDLEARN_CACHE": cache, "no_proxy": "*", "OPENBLAS_NUM_THREADS": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "MEDLEARN_MIRROR"}
    return environment | changed
