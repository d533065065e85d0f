import os
import subprocess
import sys

import nbclient
import nbformat
import pytest

from medlearn import _progress

LOOP = "from medlearn.teaching import progress\nimport time\nfor _ in progress.bar(range(4), 'pixels'): time.sleep(0.3)\nprint('done')"


def in_terminal() -> str:
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run([sys.executable, "-c", LOOP], stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    return os.read(ours, 100_000).decode()


def in_kernel(allow_stdin: bool) -> str:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOP)])
    client = nbclient.NotebookClient(book, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        client.kc.allow_stdin = allow_stdin
        client.execute_cell(book.cells[0], 0)
    return "".join(output.get("text", "") for output in book.cells[0].outputs)


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a POSIX thing")
def test_a_terminal_sees_a_bar():
    assert "pixels" in in_terminal()


def test_a_pipe_sees_none():
    run = subprocess.run(
        [sys.executable, "-c", LOOP], capture_output=True, text=True, check=True, timeout=60
    )
    assert (run.stdout, run.stderr) == ("done\n", "")


@pytest.mark.parametrize("front_end", [True, False])
def test_a_notebook_shows_a_bar_only_to_a_front_end(front_end):
    assert ("pixels" in in_kernel(front_end)) == front_end


def test_a_bar_can_count_by_hand():
    with _progress.bar(total=3, text="x") as bar:
        bar.update(2)
