"""The command line of `course.py`: one sub-parser for each command."""

import argparse
import re
from pathlib import Path
from typing import NoReturn

from medlearn import _files
from medlearn.teaching import language

OPEN = "open"  # what `course.py` does without a command


class Parser(argparse.ArgumentParser):
    """A parser that proposes the command or option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and one sentence, and exit with code 2."""
        wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong:
            names = re.findall(r"[\w-]+", wrong[2])
            near = _files.nearest(wrong[1], names, count=1)
            noun = "choice" if message.startswith("argument -") else "command"
            proposal = f"do you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            message = f"there is no {noun} {wrong[1]!r}; {proposal}"
        super().error(message)

    def refuse(self, extra: list[str]) -> NoReturn:
        """Exit with a sentence on arguments that the command does not know.

        Parameters
        ----------
        extra : list of str
            These arguments.
        """
        options = re.findall(r"--[\w-]+", self.format_help())
        unknown = [word.split("=")[0] for word in extra if word.startswith("-")]
        near = [_files.nearest(word, options, count=1) for word in unknown]
        meant = " ".join(dict.fromkeys(names[0] for names in near if names))
        proposal = f"; do you mean {meant}?" if meant else ""
        self.error(f"unrecognized arguments: {' '.join(extra)}{proposal}")


def _add(commands, name: str, text: str, more: str = "") -> Parser:
    """Add a command whose help begins with what the list of commands says of it."""
    description = f"{text[0].upper()}{text[1:]}. {more}".strip()
    command = commands.add_parser(name, help=text, description=description)
    command.set_defaults(parser=command)
    return command


def parser() -> Parser:
    """Return the parser of the whole command line."""
    main_parser = Parser(prog="course.py", description="Open, test and run the course.")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="command")
    for add in (_add_opening, _add_setup, _add_test, _add_run, _add_lint, _add_site, _add_data):
        add(commands)
    for add in (_add_student, _add_collect, _add_handouts, _add_challenge, _add_colab, _add_bench):
        add(commands)
    for add in (_add_predict, _add_doctor, _add_clean):
        add(commands)
    return main_parser


def _add_opening(commands) -> None:
    text = "open the lessons in JupyterLab (the default)"
    command = _add(commands, OPEN, text, "It stays on this computer, and ends at Ctrl-C.")
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.add_argument("--port", type=int, help="default: the first free one from 8888")
    _add_language(command)


def _add_setup(commands) -> None:
    more = "Every other command does this as well, at its first use."
    command = _add(commands, "setup", "set the course up and do nothing else", more)
    text = "install from this folder without a network; an empty or new one is filled first"
    command.add_argument("--wheels", metavar="FOLDER", help=text)


def _add_test(commands) -> None:
    text = "run the unit tests and every notebook; other arguments, such as -k, go to pytest"
    more = "With files, such as tests/test_splits.py or a notebook, only these are run."
    command = _add(commands, "test", text, more)
    text = "also run the tests marked slow (about 10 minutes more), as CI does"
    command.add_argument("--all", action="store_true", help=text)
    _add_times(command)


def _add_run(commands) -> None:
    text = "run lessons without a browser and print their results"
    more = "A line says at which cell it is; without --save the notebooks stay as they are."
    command = _add(commands, "run", text, more)
    text = "lesson numbers, such as 02; default: all lessons"
    command.add_argument("numbers", nargs="*", metavar="NN", help=text)
    text = "run on the real twin of each virtual data set"
    command.add_argument("--real", action="store_true", help=text)
    text = "write the cleaned outputs back into the notebooks"
    command.add_argument("--save", action="store_true", help=text)
    _add_times(command)
    _add_language(command)


def _add_times(command: Parser) -> None:
    text = "keep the seconds and the memory of each lesson in this table"
    command.add_argument("--times", type=Path, metavar="FILE.csv", help=text)


def _add_language(command: argparse.ArgumentParser) -> None:
    text = "en or zh (Chinese); default: as MEDLEARN_LANGUAGE says, else English"
    choices = ("en", *language.LANGUAGES)
    command.add_argument("--language", choices=choices, metavar="LANGUAGE", help=text)


def _add_lint(commands) -> None:
    text = "check the style (ruff), the format (ruff) and the types (mypy) of the code"
    command = _add(commands, "lint", text)
    text = "first mend what ruff can mend, and format"
    command.add_argument("--fix", action="store_true", help=text)


def _add_site(commands) -> None:
    text = "build the course's web site, offline, from the saved lessons"
    more = "It takes some minutes; a line says when each stage has ended."
    command = _add(commands, "site", text, more)
    text = "an empty or new folder; default: _site in the course"
    command.add_argument("--to", type=Path, metavar="FOLDER", help=text)
    text = "where the course lies on GitHub: for links to it, to Colab and to Binder"
    command.add_argument("--repository", metavar="OWNER/NAME", help=text)
    _add_language(command)


def _add_data(commands) -> None:
    text = "list the data sets, fetch them, or pack them for machines without a network"
    more = "Without fetch or mirror it prints the list, with sizes and licences."
    command = _add(commands, "data", text, more)
    actions = command.add_subparsers(dest="action", metavar="fetch or mirror")
    fetch = _add(actions, "fetch", "download real data sets into the cache")
    more = "Set the environment variable MEDLEARN_MIRROR to the folder, and the course reads it."
    mirror = _add(actions, "mirror", "pack real data sets for machines without a network", more)
    for action in (fetch, mirror):
        action.add_argument("names", nargs="+", metavar="NAME")
        text = "side of the images in pixels, for sets that come in several sizes"
        action.add_argument("--size", type=int, help=text)
    mirror.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="such as a USB stick"
    )


def _add_student(commands) -> None:
    text = "write copies of the lessons for students, or for teachers"
    more = "Outputs of exercises are removed. A file that may hold a student's work is kept."
    command = _add(commands, "student", text, more)
    text = "a folder outside of the course"
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=text)
    text = "fill in all exercises: copies for teachers"
    command.add_argument("--solutions", action="store_true", help=text)
    _add_language(command)


def _add_collect(commands) -> None:
    text = "write a table of who solved what, from the notebooks that students hand in"
    more = "Nothing of it is run. An older table is kept under another name."
    command = _add(commands, "collect", text, more)
    text = "holds a folder or a file for each student"
    command.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    text = "the table: 1 solved, 0 tried, empty not tried"
    command.add_argument("--to", type=Path, required=True, metavar="class.csv", help=text)


def _add_handouts(commands) -> None:
    text = "print the cheat sheets, quizzes and forms of the instructor kit as PDF"
    more = "It takes a browser: Chromium, Chrome or Edge. Without one the pages are HTML."
    command = _add(commands, "handouts", text, more)
    text = "a folder; a file there that differs is not replaced"
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=text)
    _add_language(command)


def _add_challenge(commands) -> None:
    text = "a fresh hospital that nobody has seen, for a class; mark what is handed in"
    command = _add(commands, "challenge", text)
    actions = command.add_subparsers(dest="action", required=True, metavar="new or mark")
    text = "draw a hospital: a folder for the students, a sealed envelope for the teacher"
    new = _add(actions, "new", text)
    text = "a new or empty folder for the students"
    new.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=text)
    text = "kinds of cells (default), or outlines of cell and nucleus"
    new.add_argument("--task", choices=("kinds", "outlines"), default="kinds", help=text)
    text = "the teacher's file; default: beside the folder, FOLDER.envelope.npz"
    new.add_argument("--envelope", type=Path, metavar="FILE.npz", help=text)
    text = "score what was handed in and write a board; nothing of it is run"
    mark = _add(actions, "mark", text)
    text = "holds a file or a folder for each student"
    mark.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    text = "the teacher's file that `challenge new` wrote"
    mark.add_argument("--envelope", type=Path, required=True, metavar="FILE.npz", help=text)
    text = "the board; a table of the same name (.csv) goes beside it"
    mark.add_argument("--to", type=Path, required=True, metavar="board.html", help=text)
    mark.add_argument("--force", action="store_true", help="replace an older board")


def _add_colab(commands) -> None:
    text = "write copies of the lessons for Google Colab, and the package beside them"
    command = _add(commands, "colab", text)
    text = "an empty or new folder"
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER", help=text)
    text = "where the copies will lie on GitHub: for links and badges"
    command.add_argument("--repository", metavar="OWNER/NAME", help=text)
    _add_language(command)


def _add_bench(commands) -> None:
    more = "A run adds the rows that are missing from its tables."
    command = _add(commands, "bench", "list the benchmarks and their tables, or run one", more)
    command.add_argument("name", nargs="?", metavar="NAME", help="default: list all benchmarks")
    command.add_argument("--only", metavar="TEXT", help="only rows whose key contains this text")
    text = "begin no further row after so many minutes; the next run goes on from there"
    command.add_argument("--minutes", type=float, help=text)
    text = "fill tables in this folder instead of the committed ones"
    command.add_argument("--to", type=Path, metavar="FOLDER", help=text)


def _add_predict(commands) -> None:
    text = "write a table of what a saved predictor says about the images of a folder"
    command = _add(commands, "predict", text)
    text = "the folder that Predictor.save wrote"
    command.add_argument("model", type=Path, metavar="MODEL", help=text)
    text = "holds the images, at any depth; or one image file"
    command.add_argument("folder", type=Path, metavar="FOLDER", help=text)
    help = "the table, for a spreadsheet"
    command.add_argument("--to", type=Path, required=True, metavar="results.csv", help=help)
    text = "write a segmenter's masks into this folder"
    command.add_argument("--masks", type=Path, metavar="FOLDER", help=text)
    text = "replace results.csv even if it is not a table of this command"
    command.add_argument("--force", action="store_true", help=text)


def _add_doctor(commands) -> None:
    _add(commands, "doctor", "check this machine and say what to do about each problem")


def _add_clean(commands) -> None:
    text = "remove what running the course left in its folder"
    more = "What nobody can make again, such as the record of solved exercises, stays."
    command = _add(commands, "clean", text, more)
    text = "also remove the downloads and computed features"
    command.add_argument("--cache", action="store_true", help=text)
    text = "also remove the installed libraries; the next start sets up anew"
    command.add_argument("--venv", action="store_true", help=text)
