"""Run lessons as Google Colab does: python tests/simulate_colab.py FOLDER [NN ...]

FOLDER is what `course.py colab --to FOLDER` made. The libraries are those of the Python that runs
this. The session is an environment on top of them in which medlearn is not importable until the
lesson's first cell has installed its wheel; `google.colab` is a stub; no checkout is in sight.
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

NUMBERS = ["00", "02", "09", "18"]
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
PLAY = """
import ast, sys, matplotlib, nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs).strip()

path, content, style, seconds = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
first = next(cell for cell in notebook.cells if cell.id == "colab-first")
changes = [('CONTENT = "/content"', f"CONTENT = {content!r}")]
changes.append(("USE_DRIVE = False", "USE_DRIVE = True"))
for old, new in changes:
    assert old in first.source, old
    first.source = first.source.replace(old, new)
asks = "import matplotlib; print({name: str(value) for name, value in matplotlib.rcParams.items()})"
notebook.cells.append(nbformat.v4.new_code_cell(asks))
specs = KernelSpecManager(kernel_dirs=[])
kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
resources = {"metadata": {"path": content}}
client = NotebookClient(notebook, km=kernel, timeout=int(seconds), resources=resources)
client.execute(cleanup_kc=True)
print("    " + printed(first).splitlines()[-1])
for cell in notebook.cells:
    if "result" in cell.metadata.get("tags", []):
        print("    " + printed(cell).replace(chr(10), chr(10) + "    "))
drawn = ast.literal_eval(printed(notebook.cells[-1]))
house = matplotlib.rc_params_from_file(style, use_default_template=False)
assert house
for name, value in house.items():
    assert drawn[name] == str(value), f"{name} is not in the house style"
"""


def main(folder: Path, numbers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        content, own = Path(scratch, "content"), Path(scratch, "session")
        content.mkdir()
        wheel = next(folder.glob("medlearn-*.whl"))
        (content / wheel.name).symlink_to(wheel.resolve())
        python, environment = session(own)
        command = [python, "-P", "-c", "import medlearn._keras"]
        process = subprocess.run(command, cwd=scratch, env=environment, capture_output=True)
        assert process.returncode, "medlearn is there before the first cell has run"
        before = versions()
        for number in numbers:
            print(next(folder.glob(f"{number}_*.ipynb")).stem, flush=True)
            lesson = next(folder.glob(f"{number}_*.ipynb")).resolve()
            command = [python, "-P", "-c", PLAY, lesson, content, STYLE, str(SECONDS)]
            began = time.monotonic()
            subprocess.run(command, cwd=scratch, env=environment, check=True, timeout=SECONDS)
            print(f"    {time.monotonic() - began:.0f} s", flush=True)
        cache = content / "drive" / "MyDrive" / "medlearn" / "cache"
        kept = [path for path in cache.rglob("*") if path.is_file()]
        assert kept, "nothing was kept on Drive for the session after this one"
        replaced = [name for name in STAYS if any(own.rglob(metadata_folder(name)))]
        assert not replaced and versions() == before, f"the first cell replaced {replaced}"
        print(f"{len(numbers)} lessons ran; {len(kept)} files are kept on Drive; ", end="")
        print("no library was replaced.")


def session(own: Path) -> tuple[Path, dict[str, str]]:
    """An environment that sees this one's libraries, but not what .pth files add, as a checkout."""
    venv.create(own, with_pip=True)
    python = own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    Path(packages, "colab.pth").write_text(sysconfig.get_path("purelib"))
    stub = own / "stub" / "google" / "colab"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    (stub / "drive.py").write_text(DRIVE)
    environment = {key: value for key, value in os.environ.items() if key != "MEDLEARN_CACHE"}
    return python, environment | {"PYTHONPATH": str(own / "stub"), "OPENBLAS_NUM_THREADS": "1"}


def metadata_folder(name: str) -> str:
    """The pattern of the folder in which an installed distribution says its version."""
    return f"{name.replace('-', '_')}-*.dist-info"


def versions() -> dict[str, str]:
    distributions = importlib.metadata.distributions()
    return {entry.metadata["Name"]: entry.version for entry in distributions}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or NUMBERS)
