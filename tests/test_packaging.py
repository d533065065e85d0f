"""The wheel and the sdist: they hold the library with all its data and nothing of a checkout."""

import ast
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import lessons
import pytest

from tools import colab

ROOT = lessons.ROOT
OF_A_CHECKOUT = ("tools/", "tests/", "benchmarks/", "notebooks/", "docs/")
IN_A_WHEEL = """
import sys
root, content = sys.argv[1:]
sys.path[:] = [content] + [path for path in sys.path if path != root]
import medlearn
assert medlearn.__file__.startswith(content), medlearn.__file__
{imports}
from medlearn import _files, datasets
assert len(datasets.names()) > 5 and datasets.card("smear").twin == "wbc"
assert any(_files.folder("results").glob("*.csv"))
assert (_files.folder("style") / "matplotlibrc").is_file()
assert len(datasets.load("smear", count=2, size=32)) == 2
assert not [name for name in sys.modules if name.split(".")[0] == "tools"]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    try:
        return colab.build_wheel(tmp_path_factory.mktemp("wheel"))
    except RuntimeError as error:
        pytest.skip(f"the build tools cannot be fetched: {error}")


def tracked(folder):
    command = ["git", "ls-files", "-z", folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split("\0")[:-1]


def imports_of_lessons():
    """Every import of medlearn in a lesson, as source text."""
    statements = set()
    for path in lessons.PATHS:
        for cell in lessons.code(lessons.read(path).notebook):
            for node in ast.walk(lessons.parse(cell)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    statements.add(ast.unparse(node))
    return sorted(statement for statement in statements if "medlearn" in statement)


@pytest.mark.slow
def test_the_wheel_holds_the_library_and_its_data_and_nothing_of_a_checkout(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(OF_A_CHECKOUT)]
    assert [name for name in tracked("medlearn") if name not in names] == []
    assert {"medlearn/py.typed", "medlearn/__init__.pyi"} <= set(names)
    shipped = {"datasets": "datasets", "results": "benchmarks/results"}
    for folder, source in shipped.items():
        files = [Path(name).name for name in tracked(source)]
        assert files and {f"medlearn/_shipped/{folder}/{name}" for name in files} <= set(names)
    assert "medlearn/_shipped/style/matplotlibrc" in names


@pytest.mark.slow
def test_the_imports_of_all_lessons_work_from_the_wheel_without_a_checkout(wheel, tmp_path):
    content = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(content)
    statements = imports_of_lessons()
    assert len(statements) > 20
    code = IN_A_WHEEL.format(imports="\n".join(statements))
    command = [sys.executable, "-P", "-c", code, str(ROOT), str(content)]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("build") is None or importlib.util.find_spec("twine") is None,
    reason="the extra `dev` is not installed",
)
def test_build_makes_a_wheel_and_an_sdist_that_pass_twine_check(tmp_path):
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)]
    process = subprocess.run(build, capture_output=True, text=True)
    if process.returncode and "ConnectionError" in process.stdout + process.stderr:
        pytest.skip("the build tools cannot be fetched")
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-2000:]
    (sdist,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/medlearn/py.typed") for name in archive.getnames())
    check = [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)]
    process = subprocess.run(check, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout
