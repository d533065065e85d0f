"""The second process of common/faults.py: it forks workers, kills them, and checks what they left.

python -m common.killed PHASE ADDRESS FIRST_SEED LAST_SEED
"""

import json
import os
import signal
import sys
import time

import numpy as np
import requests  # noqa: F401  once here and not in every worker

from common.faults import FILES, SUMS


class Load:
    """The download and extraction of a data set from a server."""

    def __init__(self, phase: str, address: str):
        from medlearn.datasets._catalogue import Card
        from medlearn.datasets._store import sources, verified

        self.phase, self.address = phase, address
        self.longest = {"download": 0.6, "extraction": 0.012}[phase]  # seconds before the kill
        self.new_card, self.cache_folder = Card, sources.cache_folder
        self.files = verified.files

    def work(self, seed: int):
        """Load the data set of a seed, and return its files."""
        card = self.new_card(
            name=f"toy{seed}",
            title="",
            kind="real",
            twin="smear",
            licence="",
            citation="",
            domains=("here",),
            origin=f"{self.address}/a.zip",
            folder="set-1",
            limit=10**7,
        )
        return self.files(card, SUMS)

    def has_begun(self, seed: int) -> bool:
        """Return whether the worker is at it."""
        folder = self.cache_folder(f"toy{seed}")
        if self.phase == "download":
            return any(folder.parent.glob(f".toy{seed}.medlearn-download.*.partial"))
        return any(folder.parent.glob(f".toy{seed}.medlearn-*-*.partial"))

    def check(self, seed: int) -> None:
        """Raise AssertionError if something half-written is there, or is not repaired."""
        folder = self.cache_folder(f"toy{seed}")
        if folder.exists():
            content = {path: (folder / path).read_bytes() for path in FILES}
            assert content == FILES, "a half-written folder has its name"
        assert dict(self.work(seed)) == FILES
        leftovers = {path.name for path in folder.parent.glob(f"*toy{seed}[!0-9]*")} | {folder.name}
        leftovers.discard(f"toy{seed}.lock.holder")  # who was killed; the next one overwrites it
        assert leftovers == {f"toy{seed}", f"toy{seed}.lock"}, leftovers


class Features:
    """The writing of cached features."""

    longest = 0.05  # seconds before the kill

    def __init__(self):
        from medlearn import _files
        from medlearn.features import _cache

        self.cache, self.folder = _cache, _files.cache() / "features"
        self.folder.mkdir()
        self.vectors = np.random.default_rng(0).normal(size=(400, 256)).astype(np.float32)

    def work(self, seed: int) -> None:
        """Write the vectors again and again."""
        while True:
            self.cache.write(self.folder / f"{seed}.npy", self.vectors)

    def has_begun(self, seed: int) -> bool:
        """Return whether the worker is at it."""
        return any(self.folder.iterdir())

    def check(self, seed: int) -> None:
        """Raise AssertionError if something half-written is read, or is not repaired."""
        path = self.folder / f"{seed}.npy"
        stored = self.cache.read(path, 400)
        assert stored is None or np.array_equal(stored, self.vectors), "half-written vectors"
        self.cache.write(path, self.vectors)
        assert np.array_equal(self.cache.read(path, 400), self.vectors)


def kill_one(victim: Load | Features, seed: int) -> bool:
    """Start a worker and kill it in the act.

    Parameters
    ----------
    victim : Load or Features
        What the worker does.
    seed : int
        Seed of the work and of the moment.

    Returns
    -------
    bool
        Whether it was killed before it had finished.
    """
    worker = os.fork()
    if not worker:
        victim.work(seed)
        os._exit(0)
    end = time.monotonic() + 20
    while not victim.has_begun(seed) and time.monotonic() < end:
        if os.waitpid(worker, os.WNOHANG)[0]:
            break
        time.sleep(0.0005)
    time.sleep(float(np.random.default_rng(seed).uniform(0, victim.longest)))
    try:
        os.kill(worker, signal.SIGKILL)
        return os.waitpid(worker, 0)[1] == signal.SIGKILL
    except (ProcessLookupError, ChildProcessError):
        return False


def main(phase: str, address: str, first: str, last: str) -> None:
    """Print how many workers were killed, and how many of these were repaired.

    Parameters
    ----------
    phase, address, first, last : str
        The command line.
    """
    victim = Features() if phase == "features" else Load(phase, address)
    killed = 0
    for seed in range(int(first), int(last)):
        killed += kill_one(victim, seed)
        victim.check(seed)
    print(json.dumps({"killed": killed, "repaired": killed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
