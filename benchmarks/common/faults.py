"""Processes killed with kill -9 at random points of a download, an extraction and the writing of cached features.

`kills(what, seeds)` starts a second process (this file), which forks a worker for each seed, kills it at a random
moment of the phase, looks at what it left, and calls again. It returns how many were killed in the act, and how many
of these left nothing half-written to read and were repaired by the next call.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common.archives import zipped
from common.loopback import Server

BENCHMARKS = Path(__file__).resolve().parents[1]
KILLS = ("download", "extraction", "features")
RNG = np.random.default_rng(0)
FILES = {f"images/{number:02d} é.bin": RNG.bytes(60_000) for number in range(40)}
SUMS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
PACE = {"download": 40_000, "extraction": None}  # bytes per hundredth of a second


def kills(what: str, seeds: range) -> dict[str, int]:
    """{"killed": workers killed while at it, "repaired": of these, put right by the next call}; raises on a fault."""
    content = zipped({f"set-1/{path}": data for path, data in FILES.items()})
    with (
        Server(content, pace=PACE.get(what)) as server,
        tempfile.TemporaryDirectory(prefix="un cache é ") as cache,
    ):
        environment = os.environ | {
            "MEDLEARN_CACHE": cache,
            "no_proxy": "*",
            "OPENBLAS_NUM_THREADS": "1",
        }
        environment.pop("MEDLEARN_MIRROR", None)
        ran = subprocess.run(
            [sys.executable, "-m", "common.faults", what, server.address]
            + [str(seeds.start), str(seeds.stop)],
            cwd=BENCHMARKS,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60 + 5 * len(seeds),
        )
    if ran.returncode:
        raise AssertionError(ran.stderr[-3000:])
    return json.loads(ran.stdout.splitlines()[-1])


# ---- in the second process -----------------------------------------------------------------------


def _loads(what: str, address: str):
    """A worker, the sign that it is at it, the longest wait before the kill, and the check; each a function of a seed."""
    from medlearn.datasets._catalogue import Card
    from medlearn.datasets._store import sources, verified

    def card(seed):
        return Card(
            name=f"toy{seed}",
            title="",
            kind="real",
            twin="smear",
            licence="",
            citation="",
            domains=("here",),
            origin=f"{address}/a.zip",
            folder="set-1",
            limit=10**7,
        )

    def at_it(seed):
        folder = sources.cache_folder(f"toy{seed}")
        if what == "download":
            return any(folder.parent.glob(f"toy{seed}.download.*.partial"))
        return folder.with_name(folder.name + ".unpacking").exists()

    def check(seed):
        folder = sources.cache_folder(f"toy{seed}")
        if folder.exists():
            assert {path: (folder / path).read_bytes() for path in FILES} == FILES, (
                "a half-written folder has its name"
            )
        assert dict(verified.files(card(seed), SUMS)) == FILES
        left = sorted(path.name for path in folder.parent.glob(f"toy{seed}*"))
        assert left == [f"toy{seed}", f"toy{seed}.lock"], left

    return (
        lambda seed: verified.files(card(seed), SUMS),
        at_it,
        {"download": 0.6, "extraction": 0.012}[what],
        check,
    )


def _features():
    from medlearn import _files
    from medlearn.features import _cache

    vectors = np.random.default_rng(0).normal(size=(400, 256)).astype(np.float32)
    folder = _files.cache() / "features"
    folder.mkdir()

    def path(seed):
        return folder / f"{seed}.npy"

    def write(seed):
        while True:
            _cache.write(path(seed), vectors)

    def check(seed):
        stored = _cache.read(path(seed), 400)
        assert stored is None or np.array_equal(stored, vectors), "half-written vectors were read"
        _cache.write(path(seed), vectors)
        assert np.array_equal(_cache.read(path(seed), 400), vectors)

    return write, lambda seed: any(folder.iterdir()), 0.05, check


def _main(what: str, address: str, first: str, last: str) -> None:
    work, at_it, longest, check = _features() if what == "features" else _loads(what, address)
    import requests  # noqa: F401  once here and not in every worker

    killed = 0
    for seed in range(int(first), int(last)):
        worker = os.fork()
        if not worker:
            work(seed)
            os._exit(0)
        end = time.monotonic() + 20
        while not at_it(seed) and time.monotonic() < end and os.waitpid(worker, os.WNOHANG)[0] == 0:
            time.sleep(0.0005)
        time.sleep(float(np.random.default_rng(seed).uniform(0, longest)))
        try:
            os.kill(worker, signal.SIGKILL)
            killed += os.waitpid(worker, 0)[1] == signal.SIGKILL
        except (ProcessLookupError, ChildProcessError):
            pass  # it had finished: that is a load, not a kill
        check(seed)
    print(json.dumps({"killed": killed, "repaired": killed}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
