"""Run lessons without a browser and show what their `result` cells print."""

import os
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from tools import costs, lessons, outputs, twins
from tools.position import Position

CELL_SECONDS = 900
# Other users of the machine could otherwise read what the kernel says, and ipykernel warns of it.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
INLINE = "module://matplotlib_inline.backend_inline"  # another backend would lose the figures


@dataclass(frozen=True)
class Failure:
    """Where a lesson stopped.

    Attributes
    ----------
    number : int
        The number that JupyterLab shows beside the cell.
    first_line : str
        Of the cell.
    error : str
        The error's last line.
    """

    number: int
    first_line: str
    error: str


def run(
    paths: list[Path], real: bool = False, save: bool = False, times: Path | None = None
) -> Iterator[str]:
    """Execute lessons and yield what to print about each.

    Parameters
    ----------
    paths : list of Path
        The notebooks.
    real : bool
        Swap virtual data sets for their real twins.
    save : bool
        Write a lesson that ran through back to its file, cleaned.
    times : Path, optional
        The table (see `costs`) that keeps what each lesson cost.

    Raises
    ------
    RuntimeError
        At the end, if a lesson failed.
    """
    failed = []
    for path in paths:
        notebook = lessons.read(path)
        note = ""
        if real:
            notebook, swapped = twins.with_twins(notebook, twins.twins())
            note = f"   ({_swaps(swapped)})"
        cost, failure = _play(notebook, path)
        memory = f", {cost.peak_mb / 1024:.1f} GB" if cost.peak_mb else ""
        yield f"{path.stem}   {cost.seconds:.0f} s{memory}{note}"
        if failure:
            failed.append(path.name[:2])
            yield f"    FAILED in cell [{failure.number}]: {failure.first_line}"
            yield f"    {failure.error}"
            continue
        text = result(notebook) or "(no cell tagged `result` printed anything)"
        yield textwrap.indent(text, "    ")
        if save:
            lessons.save(outputs.clean(notebook), path)
        if times:
            costs.write({path.stem: cost}, times)
    if failed:
        raise RuntimeError(f"Failed: {', '.join(failed)} of {len(paths)} lesson(s).")


def execute(
    notebook: NotebookNode,
    folder: Path,
    text: str = "",
    after_cell: Callable[[int | None], object] | None = None,
) -> Failure | None:
    """Run all cells of a notebook in place.

    The kernel is the Python that runs this, whatever kernels the machine has registered.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs are replaced.
    folder : Path
        The working directory.
    text : str
        The label of the line that says where the run is; without one there is no such line.
    after_cell : callable, optional
        Called after each cell with the kernel's process number.

    Returns
    -------
    Failure or None
        Where it failed.

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    running = code[:1]
    position = Position(text, len(code)) if text else None

    def begin(cell: NotebookNode, **_) -> None:
        running[:] = [cell]
        if position:
            position.begin()

    def end(**_) -> None:
        if after_cell:
            after_cell(getattr(client.km.provisioner, "pid", None))

    client = _client(notebook, folder)
    client.on_cell_execute = begin
    client.on_cell_executed = end
    # What a learner solved on this machine must not appear below `check.progress()`.
    environment = dict(os.environ, MPLBACKEND=INLINE, MEDLEARN_PROGRESS="off")
    try:
        client.execute(cleanup_kc=True, env=environment, stderr=subprocess.DEVNULL)
    except Exception as error:
        if hasattr(client, "_async_cleanup_kernel_future"):  # nbclient stumbles over Ctrl-C
            raise KeyboardInterrupt from None
        if not isinstance(error, (CellExecutionError, CellTimeoutError, DeadKernelError)):
            raise
        return _failure(code, running[0], error)
    finally:
        if position:
            position.close()
    return None


def result(notebook: NotebookNode) -> str:
    """Return the text that the cells tagged `result` left on stdout or as their value."""
    texts = []
    for cell in lessons.tagged(notebook, "result"):
        for output in cell.outputs:
            if output.output_type != "stream":
                texts.append(output.get("data", {}).get("text/plain", ""))
            elif output.name == "stdout":
                texts.append(output.text)
    return "\n".join(text.strip("\n") for text in texts if text.strip())


def _play(notebook: NotebookNode, path: Path) -> tuple[costs.Cost, Failure | None]:
    """Execute a lesson in its folder; returns what it cost as well."""
    used: list[tuple[float, float] | None] = [None]

    def measure(pid: int | None) -> None:
        used.append(costs.of_process(pid))

    began = time.perf_counter()
    failure = execute(notebook, path.parent, path.name[:2], measure)
    return costs.Cost(time.perf_counter() - began, *(used[-1] or ())), failure


def _swaps(swapped: dict[str, str]) -> str:
    pairs = ", ".join(f"{virtual} -> {twin}" for virtual, twin in swapped.items())
    return pairs or "no virtual data set among its parameters: run as it is"


def _client(notebook: NotebookNode, folder: Path) -> NotebookClient:
    """A client with a kernel of this Python."""
    kernel = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        config=ENCRYPTED,
    )
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, km=kernel, timeout=CELL_SECONDS, resources=resources)


def _failure(code: list[NotebookNode], cell: NotebookNode, error: Exception) -> Failure:
    """Describe an error in a cell; cells that a real run added do not count."""
    typed = [cell for cell in code if "injected" not in cell.metadata.get("tags", [])]
    number = typed.index(cell) + 1 if cell in typed else 0
    return Failure(number, cell.source.strip().split("\n")[0], _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, CellTimeoutError):
        return f"The cell took more than {CELL_SECONDS} s."
    if isinstance(error, DeadKernelError):
        return "The kernel died, most often because memory ran out."
    return f"{error.ename}: {error.evalue}".strip().split("\n")[-1]
