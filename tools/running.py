"""Run lessons without a browser and show what their `result` cells print."""

import os
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from medlearn import _progress
from tools import costs, lessons

CELL_SECONDS = 900
# Other users of the machine could otherwise read what the kernel says, and ipykernel warns of it at each start.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


@dataclass(frozen=True)
class Failure:
    """Where a lesson stopped: the number that JupyterLab shows beside the cell, its first line, the error's last line."""

    number: int
    first_line: str
    error: str


def run(
    paths: list[Path], real: bool = False, save: bool = False, times: Path | None = None
) -> Iterator[str]:
    """Execute each lesson and yield what to print about it; raises RuntimeError at the end if one failed.

    With `real`, virtual data sets are swapped for their real twins; with `save`, a lesson that ran through is
    written back, cleaned; `times` is the table (see `costs`) that keeps what each of these lessons cost.
    """
    failed = []
    for path in paths:
        notebook, swapped = nbformat.read(path, as_version=4), {}
        if real:
            notebook, swapped = lessons.with_twins(notebook, lessons.twins())
        cost, failure = played(notebook, path)
        data = ", ".join(f"{virtual} -> {twin}" for virtual, twin in swapped.items())
        note = (
            f"   ({data or 'no virtual data set among its parameters: run as it is'})"
            if real
            else ""
        )
        memory = f", {cost.peak_mb / 1024:.1f} GB" if cost.peak_mb else ""
        yield f"{path.stem}   {cost.seconds:.0f} s{memory}{note}"
        if failure:
            failed.append(path.name[:2])
            yield f"    FAILED in cell [{failure.number}]: {failure.first_line}\n    {failure.error}"
            continue
        yield textwrap.indent(
            result(notebook) or "(no cell tagged `result` printed anything)", "    "
        )
        if save:
            lessons.save(lessons.clean(notebook), path)
        if times:
            costs.write({path.stem: cost}, times)
    if failed:
        raise RuntimeError(f"Failed: {', '.join(failed)} of {len(paths)} lesson(s).")


def played(notebook: NotebookNode, path: Path) -> tuple[costs.Cost, Failure | None]:
    """`execute` this lesson of that path; returns what it cost as well."""
    spent: list[tuple[float, float] | None] = [None]
    began = time.perf_counter()
    failure = execute(
        notebook, path.parent, path.stem, lambda pid: spent.append(costs.of_process(pid))
    )
    return costs.Cost(time.perf_counter() - began, *(spent[-1] or ())), failure


def execute(
    notebook: NotebookNode,
    folder: Path,
    text: str = "",
    after_cell: Callable[[int | None], object] = lambda pid: None,
) -> Failure | None:
    """Run all cells in place with `folder` as working directory; returns where it failed, or None.

    The kernel is the Python that runs this, whatever kernels the machine has registered. A bar labelled `text` shows
    the progress where somebody watches. `after_cell` is called with the kernel's process number. Raises KeyboardInterrupt.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    current = code[:1]

    def begin(cell: NotebookNode, cell_index: int) -> None:
        current[:] = [cell]

    def end(**_) -> None:
        bar.update()
        after_cell(getattr(client.km.provisioner, "pid", None))

    bar = _progress.bar(text=text, total=len(code), unit=" cells")
    this_python = KernelSpecManager(kernel_dirs=[])
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=this_python, config=ENCRYPTED
        ),
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=begin,
        on_cell_executed=end,
    )
    inline = "module://matplotlib_inline.backend_inline"  # a backend set for other programs would lose the figures
    try:
        client.execute(
            cleanup_kc=True, env=dict(os.environ, MPLBACKEND=inline), stderr=subprocess.DEVNULL
        )
    except Exception as error:
        if hasattr(
            client, "_async_cleanup_kernel_future"
        ):  # nbclient takes Ctrl-C for itself and stumbles over it
            raise KeyboardInterrupt from None
        if not isinstance(error, (CellExecutionError, CellTimeoutError, DeadKernelError)):
            raise
        typed = [cell for cell in code if "injected" not in cell.metadata.get("tags", [])]
        number = typed.index(current[0]) + 1 if current[0] in typed else 0
        return Failure(number, current[0].source.strip().split("\n")[0], _reason(error))
    finally:
        bar.close()
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, CellTimeoutError):
        return f"The cell took more than {CELL_SECONDS} s."
    if isinstance(error, DeadKernelError):
        return "The kernel died, most often because memory ran out."
    return f"{error.ename}: {error.evalue}".strip().split("\n")[-1]


def result(notebook: NotebookNode) -> str:
    """The text that the cells tagged `result` left on stdout or as their value."""
    outputs = [output for cell in lessons.tagged(notebook, "result") for output in cell.outputs]
    texts = [
        output.text
        if output.output_type == "stream"
        else output.get("data", {}).get("text/plain", "")
        for output in outputs
        if output.get("name") != "stderr"
    ]
    return "\n".join(text.strip("\n") for text in texts if text.strip())
