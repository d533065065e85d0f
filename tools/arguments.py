"""The command line of `course.py`: one sub-parser for each command."""

import argparse
from pathlib import Path

OPEN = "open"  # what `course.py` does without a command


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    main_parser = argparse.ArgumentParser(
        prog="course.py", description="Open, test and run the course."
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="command")
    for add in (_add_opening, _add_setup, _add_test, _add_run, _add_lint, _add_site, _add_data):
        add(commands)
    for add in (_add_student, _add_collect, _add_challenge, _add_colab, _add_bench, _add_predict):
        add(commands)
    for add in (_add_doctor, _add_clean):
        add(commands)
    return main_parser


def _add_opening(commands) -> None:
    command = commands.add_parser(OPEN, help="open the lessons in JupyterLab (the default)")
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.add_argument("--port", type=int, help="default: the first free one from 8888")


def _add_setup(commands) -> None:
    command = commands.add_parser("setup", help="set the course up and do nothing else")
    text = "install from this folder without a network; an empty or new one is filled first"
    command.add_argument("--wheels", metavar="FOLDER", help=text)


def _add_test(commands) -> None:
    text = "run the unit tests and every notebook; other arguments, such as -k, go to pytest"
    command = commands.add_parser("test", help=text, description=text)
    text = "also run the tests marked slow (about 10 minutes more), as CI does"
    command.add_argument("--all", action="store_true", help=text)
    _add_times(command)


def _add_run(commands) -> None:
    text = "run lessons without a browser and print their results"
    command = commands.add_parser("run", help=text)
    text = "lesson numbers, such as 02; default: all lessons"
    command.add_argument("numbers", nargs="*", metavar="NN", help=text)
    text = "run on the real twin of each virtual data set"
    command.add_argument("--real", action="store_true", help=text)
    text = "write the cleaned outputs back into the notebooks"
    command.add_argument("--save", action="store_true", help=text)
    _add_times(command)


def _add_times(command: argparse.ArgumentParser) -> None:
    text = "keep the seconds and the memory of each lesson in this table"
    command.add_argument("--times", type=Path, metavar="FILE.csv", help=text)


def _add_lint(commands) -> None:
    text = "check the style (ruff), the format (ruff) and the types (mypy) of the code"
    command = commands.add_parser("lint", help=text, description=text)
    text = "first mend what ruff can mend, and format"
    command.add_argument("--fix", action="store_true", help=text)


def _add_site(commands) -> None:
    text = "build the course's web site, offline, from the saved lessons"
    command = commands.add_parser("site", help=text)
    text = "an empty or new folder; default: _site in the course"
    command.add_argument("--to", type=Path, metavar="FOLDER", help=text)
    text = "where the course lies on GitHub: for links to it, to Colab and to Binder"
    command.add_argument("--repository", metavar="OWNER/NAME", help=text)


def _add_data(commands) -> None:
    text = "list the data sets, fetch them, or pack them for machines without a network"
    command = commands.add_parser("data", help=text)
    actions = command.add_subparsers(dest="action", metavar="fetch or mirror")
    fetch = actions.add_parser("fetch", help="download real data sets into the cache")
    mirror = actions.add_parser("mirror", help="pack them for MEDLEARN_MIRROR")
    for action in (fetch, mirror):
        action.add_argument("names", nargs="+", metavar="NAME")
        text = "side of the images in pixels, for sets that come in several sizes"
        action.add_argument("--size", type=int, help=text)
    mirror.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="such as a USB stick"
    )


def _add_student(commands) -> None:
    text = "write copies of the lessons for students, or for teachers"
    command = commands.add_parser("student", help=text)
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    text = "fill in all exercises: copies for teachers"
    command.add_argument("--solutions", action="store_true", help=text)


def _add_collect(commands) -> None:
    text = "write a table of who solved what, from the notebooks that students hand in"
    command = commands.add_parser("collect", help=text)
    text = "holds a folder or a file for each student"
    command.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    command.add_argument("--to", type=Path, required=True, metavar="class.csv")


def _add_challenge(commands) -> None:
    text = "a fresh hospital that nobody has seen, for a class; mark what is handed in"
    command = commands.add_parser("challenge", help=text, description=text)
    actions = command.add_subparsers(dest="action", required=True, metavar="new or mark")
    text = "draw a hospital: a folder for the students, a sealed envelope for the teacher"
    new = actions.add_parser("new", help=text, description=text)
    text = "a new or empty folder for the students"
    new.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=text)
    text = "kinds of cells (default), or outlines of cell and nucleus"
    new.add_argument("--task", choices=("kinds", "outlines"), default="kinds", help=text)
    text = "the teacher's file; default: beside the folder, FOLDER.envelope.npz"
    new.add_argument("--envelope", type=Path, metavar="FILE.npz", help=text)
    text = "score what was handed in and write a board; nothing of it is run"
    mark = actions.add_parser("mark", help=text, description=text)
    text = "holds a file or a folder for each student"
    mark.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    text = "the teacher's file that `challenge new` wrote"
    mark.add_argument("--envelope", type=Path, required=True, metavar="FILE.npz", help=text)
    text = "the board; a table of the same name (.csv) goes beside it"
    mark.add_argument("--to", type=Path, required=True, metavar="board.html", help=text)
    mark.add_argument("--force", action="store_true", help="replace an older board")


def _add_colab(commands) -> None:
    text = "write copies of the lessons for Google Colab, and the package beside them"
    command = commands.add_parser("colab", help=text)
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    text = "where the copies will lie on GitHub: for links and badges"
    command.add_argument("--repository", metavar="OWNER/NAME", help=text)


def _add_bench(commands) -> None:
    command = commands.add_parser("bench", help="list the benchmarks and their tables, or run one")
    command.add_argument("name", nargs="?", metavar="NAME", help="default: list all benchmarks")
    command.add_argument("--only", metavar="TEXT", help="only rows whose key contains this text")
    text = "begin no further row after so many minutes; the next run goes on from there"
    command.add_argument("--minutes", type=float, help=text)
    text = "fill tables in this folder instead of the committed ones"
    command.add_argument("--to", type=Path, metavar="FOLDER", help=text)


def _add_predict(commands) -> None:
    text = "write a table of what a saved predictor says about the images of a folder"
    command = commands.add_parser("predict", help=text, description=text)
    text = "the folder that Predictor.save wrote"
    command.add_argument("model", type=Path, metavar="MODEL", help=text)
    text = "holds the images, at any depth; or one image file"
    command.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    command.add_argument("--to", type=Path, required=True, metavar="results.csv")
    text = "write a segmenter's masks into this folder"
    command.add_argument("--masks", type=Path, metavar="FOLDER", help=text)
    text = "replace results.csv even if it is not a table of this command"
    command.add_argument("--force", action="store_true", help=text)


def _add_doctor(commands) -> None:
    commands.add_parser("doctor", help="check this machine and say what to do about each problem")


def _add_clean(commands) -> None:
    text = "remove what running the course left in its folder"
    command = commands.add_parser("clean", help=text)
    text = "also remove the downloads and computed features"
    command.add_argument("--cache", action="store_true", help=text)
    text = "also remove the installed libraries; the next start sets up anew"
    command.add_argument("--venv", action="store_true", help=text)
