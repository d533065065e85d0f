"""Run lessons as Google Colab would: python tests/simulate_colab.py FOLDER [NN ...], FOLDER being `course.py colab --to FOLDER`'s.

The libraries are those of the Python that runs this. The session is an environment on top of them in which medlearn is
not importable until the lesson's first cell has installed its wheel; `google.colab` is a stub; no checkout is in sight.
"""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

NUMBERS = ["00", "02", "06", "13"]
SECONDS = 280
DRIVE = (
    "import os\n\ndef mount(path):\n    os.makedirs(path + '/MyDrive/medlearn', exist_ok=True)\n"
)
STYLE = Path(__file__).resolve().parents[1] / "notebooks" / "matplotlibrc"
STAYS = (
    "numpy",
    "tensorflow",
    "keras",
    "pandas",
    "scikit-learn",
    "scikit-image",
    "matplotlib",
    "ipywidgets",
    "protobuf",
)
RUN = """
import ast, sys, matplotlib, nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
path, content, style, seconds = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
first = next(cell for cell in notebook.cells if cell.id == "colab-first")
for old, new in (('CONTENT = "/content"', f"CONTENT = {content!r}"), ("USE_DRIVE = False", "USE_DRIVE = True")):
    assert old in first.source, old
    first.source = first.source.replace(old, new)
asks = "import matplotlib; print({name: str(value) for name, value in matplotlib.rcParams.items()})"
notebook.cells.append(nbformat.v4.new_code_cell(asks))
kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
NotebookClient(notebook, km=kernel, timeout=int(seconds), resources={"metadata": {"path": content}}).execute(cleanup_kc=True)
print("    " + "".join(output.get("text", "") for output in first.outputs).strip().splitlines()[-1])
for cell in notebook.cells:
    if "result" in cell.metadata.get("tags", []):
        print("    " + "".join(output.get("text", "") for output in cell.outputs).strip().replace(chr(10), chr(10) + "    "))
drawn = ast.literal_eval("".join(output.get("text", "") for output in notebook.cells[-1].outputs))
house = matplotlib.rc_params_from_file(style, use_default_template=False)
assert house and {name: drawn[name] for name in house} == {name: str(value) for name, value in house.items()}, "not the house style"
"""


def main(folder: Path, numbers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        content, own = Path(scratch, "content"), Path(scratch, "session")
        content.mkdir()
        wheel = next(folder.glob("medlearn-*.whl"))
        (content / wheel.name).symlink_to(wheel.resolve())
        python, environment = session(own)
        assert subprocess.run(
            [python, "-P", "-c", "import medlearn._keras"],
            cwd=scratch,
            env=environment,
            capture_output=True,
        ).returncode
        before = versions()
        for number in numbers:
            print(next(folder.glob(f"{number}_*.ipynb")).stem, flush=True)
            lesson = next(folder.glob(f"{number}_*.ipynb")).resolve()
            command = [python, "-P", "-c", RUN, lesson, content, STYLE, str(SECONDS)]
            began = time.monotonic()
            subprocess.run(command, cwd=scratch, env=environment, check=True, timeout=SECONDS)
            print(f"    {time.monotonic() - began:.0f} s", flush=True)
        kept = [
            path
            for path in (content / "drive" / "MyDrive" / "medlearn" / "cache").rglob("*")
            if path.is_file()
        ]
        assert kept, "nothing was kept on Drive for the session after this one"
        replaced = {
            name for name in STAYS for path in own.rglob(f"{name.replace('-', '_')}-*.dist-info")
        }
        assert not replaced and versions() == before, (
            f"replaced by the first cell: {replaced or 'see pip list'}"
        )
        print(
            f"{len(numbers)} lessons ran; {len(kept)} files are kept on Drive; no library was replaced."
        )


def session(own: Path) -> tuple[Path, dict[str, str]]:
    """An environment that sees this one's libraries, but not what .pth files add to it, such as a checkout."""
    venv.create(own, with_pip=True)
    python = own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    here = sysconfig.get_path("purelib")
    there = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
    )
    Path(there.stdout.strip(), "colab.pth").write_text(here)
    stub = own / "stub" / "google" / "colab"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    (stub / "drive.py").write_text(DRIVE)
    environment = {key: value for key, value in os.environ.items() if key != "MEDLEARN_CACHE"}
    return python, environment | {"PYTHONPATH": str(own / "stub"), "OPENBLAS_NUM_THREADS": "1"}


def versions() -> dict[str, str]:
    return {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or NUMBERS)
