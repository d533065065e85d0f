"""Progress bars: a terminal and a notebook get one, a pipe and a headless kernel none."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import nbclient
import nbformat
import pytest

from medlearn import _progress

LOOP = """
import time
from medlearn.teaching import progress

for _ in progress.bar(range(4), "pixels"):
    time.sleep(0.3)
print("done")
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_is_drawn_where_somebody_watches(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    bar = _progress.bar(total=3, text="pixels")
    bar.update(2)
    bar.refresh()
    assert bar.n == 2 and "pixels" in sys.stdout.getvalue()
    assert _progress.bar(total=3, silent=True).disable


def test_a_notebook_says_whether_somebody_watches(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    for allow_stdin in (True, False):
        kernel = SimpleNamespace(_allow_stdin=allow_stdin)
        shell = SimpleNamespace(kernel=kernel)
        ipython = SimpleNamespace(get_ipython=lambda shell=shell: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        assert _progress.watched() == allow_stdin
    monkeypatch.delitem(sys.modules, "IPython")
    assert not _progress.watched() and _progress.bar(total=3).disable


# ---- the same in a terminal, a pipe and a kernel ----


def in_terminal() -> str:
    import pty
    import termios

    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    subprocess.run([sys.executable, "-c", LOOP], stdout=terminal, check=True, timeout=60)
    os.close(terminal)
    return os.read(screen, 100_000).decode()


def in_kernel(allow_stdin: bool) -> str:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOP)])
    client = nbclient.NotebookClient(book, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        client.kc.allow_stdin = allow_stdin
        client.execute_cell(book.cells[0], 0)
    return "".join(output.get("text", "") for output in book.cells[0].outputs)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a POSIX thing")
def test_a_terminal_gets_a_bar():
    assert "pixels" in in_terminal()


@pytest.mark.slow
def test_a_pipe_gets_none():
    command = [sys.executable, "-c", LOOP]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (run.stdout, run.stderr) == ("done\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("front_end", [True, False])
def test_a_notebook_gets_a_bar_only_with_a_front_end(front_end):
    assert ("pixels" in in_kernel(front_end)) == front_end
