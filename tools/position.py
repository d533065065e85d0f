"""Say where a lesson is while it runs: `06 cell 12/48, 8 s`."""

import sys
import threading
import time
from typing import TextIO

REDRAWN = 1.0  # seconds, on a terminal
WRITTEN = 30.0  # seconds between two lines where nobody watches, as in a log
WIDTH = 40


class Position:
    """One line that tells the cell and the seconds, and vanishes at the end.

    Parameters
    ----------
    label : str
        The lesson's number.
    total : int
        How many cells it has.
    stream : file, optional
        Where to write; default: stdout. On a terminal the line is redrawn every second, elsewhere
        a new one is written twice a minute.
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self.label, self.total = label, total
        self.stream = stream or sys.stdout
        self.cell = 0
        self._began = time.monotonic()
        self._drawn = False
        self._ended = threading.Event()
        self._terminal = self.stream.isatty()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Count a cell that begins."""
        self.cell = min(self.cell + 1, self.total)

    def close(self) -> None:
        """End, and leave nothing of the line on a terminal."""
        self._ended.set()
        self._thread.join()
        if self._drawn and self._terminal:
            self._write(f"\r{'':{WIDTH}}\r")

    def _tick(self) -> None:
        while not self._ended.wait(REDRAWN if self._terminal else WRITTEN):
            line = sentence(self.label, self.cell, self.total, time.monotonic() - self._began)
            self._write(f"\r{line:{WIDTH}}" if self._terminal else f"{line}\n")
            self._drawn = True

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def sentence(label: str, cell: int, total: int, seconds: float) -> str:
    """Return the line for a cell and the seconds since the lesson began.

    Examples
    --------
    >>> sentence("06", 12, 48, 8.2)
    '06 cell 12/48, 8 s'
    """
    return f"{label} cell {cell}/{total}, {seconds:.0f} s"
