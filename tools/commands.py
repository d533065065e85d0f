"""The sub-commands of `course.py`."""

import argparse
import os
import sys
from pathlib import Path

from tools import lessons

OPEN = "open"  # what `course.py` does without a sub-command


def main(arguments: list[str]) -> int:
    """Run one sub-command; returns the exit code. What a user can put right is one sentence on stderr, and 1."""
    if not arguments or (arguments[0] not in ("-h", "--help") and arguments[0].startswith("-")):
        arguments = [OPEN, *arguments]
    options, rest = parser().parse_known_args(arguments)
    if rest and options.command != "test":
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    # Matrices here are small: threads of OpenBLAS that wait for a busy core made a linear probe 10 to 40 times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return COMMANDS[options.command](options, rest)
    except (LookupError, OSError, RuntimeError, ValueError) as error:
        print(error.args[-1] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line: a sub-parser for each command."""
    main_parser = argparse.ArgumentParser(
        prog="course.py", description="Open, test and run the course."
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="command")
    opened = commands.add_parser(
        OPEN, help="open the lessons in JupyterLab (also without a command)"
    )
    opened.add_argument("--no-browser", action="store_true", help="only print the address")
    opened.add_argument("--port", type=int, help="the first free one from 8888 if left out")
    setup = commands.add_parser("setup", help="set the course up and do nothing else")
    setup.add_argument(
        "--wheels",
        metavar="FOLDER",
        help="install from this folder without a network; an empty or new one is filled for that first",
    )
    test = commands.add_parser(
        "test",
        help="run the unit tests and every notebook; other arguments, such as -k, go to pytest",
    )
    run = commands.add_parser("run", help="run lessons without a browser and print their results")
    run.add_argument(
        "numbers",
        nargs="*",
        metavar="NN",
        help="lesson numbers, such as 02; all lessons if left out",
    )
    run.add_argument(
        "--real", action="store_true", help="on the real twin of each virtual data set"
    )
    run.add_argument(
        "--save", action="store_true", help="write the outputs back into the notebooks, cleaned"
    )
    for each in (test, run):
        each.add_argument(
            "--times",
            type=Path,
            metavar="FILE.csv",
            help="keep the seconds and the memory of each lesson in this table",
        )
    site = commands.add_parser(
        "site", help="build the course's web site, offline, from the lessons as they are saved"
    )
    site.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="an empty or new folder; _site in the course if left out",
    )
    data = commands.add_parser(
        "data", help="list the data sets, fetch them, or pack them for machines without a network"
    )
    doing = data.add_subparsers(dest="doing", metavar="fetch or mirror")
    for what, text in (
        ("fetch", "bring real data sets into the cache"),
        ("mirror", "pack them for MEDLEARN_MIRROR"),
    ):
        each = doing.add_parser(what, help=text)
        each.add_argument("names", nargs="+", metavar="NAME")
        each.add_argument(
            "--size", type=int, help="pixels a side, for sets that come in several sizes"
        )
    each.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="such as a USB stick"
    )
    student = commands.add_parser(
        "student", help="write copies of the lessons without their solutions"
    )
    student.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    collect = commands.add_parser(
        "collect", help="a table of who solved what, from the notebooks that students hand in"
    )
    collect.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a folder or a file for each student"
    )
    collect.add_argument("--to", type=Path, required=True, metavar="class.csv")
    colab = commands.add_parser(
        "colab", help="write copies of the lessons for Google Colab, and the package beside them"
    )
    colab.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    colab.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help="where the copies will lie on GitHub: for links and badges",
    )
    bench = commands.add_parser("bench", help="list the benchmarks and their tables, or run one")
    bench.add_argument("name", nargs="?", metavar="NAME", help="all are listed if left out")
    bench.add_argument("--only", metavar="TEXT", help="only rows whose key contains this text")
    bench.add_argument(
        "--minutes",
        type=float,
        help="begin no further row after so many; the next run goes on from there",
    )
    bench.add_argument(
        "--to", type=Path, metavar="FOLDER", help="fill tables there instead of the committed ones"
    )
    commands.add_parser("doctor", help="what is there, and what to do about what is not")
    cleaning = commands.add_parser(
        "clean", help="remove what running the course left in its folder"
    )
    cleaning.add_argument(
        "--cache", action="store_true", help="the downloads and computed features as well"
    )
    cleaning.add_argument(
        "--venv",
        action="store_true",
        help="the installed libraries as well: the next start sets up anew",
    )
    return main_parser


def _open(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import lab

    return lab.open_lab(lessons.find([])[0], options.port, browser=not options.no_browser)


def _setup(options: argparse.Namespace, rest: list[str]) -> int:
    print(
        "The course is set up: `python3 course.py` opens it, `python3 course.py doctor` looks it over."
    )
    return 0


def _test(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import suite

    return suite.test(rest, options.times)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import running

    if options.real and options.save:
        raise ValueError(
            "--real and --save do not go together: pictures from real data sets may not be published in a notebook. "
            "Leave one of the two out."
        )
    for line in running.run(
        lessons.find(options.numbers), options.real, options.save, options.times
    ):
        print(line, flush=True)
    return 0


def _site(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import site

    return _show(site.write(options.to))


def _data(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import data

    if options.doing == "mirror":
        lines = data.mirror(options.to, options.names, options.size)
    else:
        lines = (
            data.fetch(options.names, options.size) if options.doing == "fetch" else data.table()
        )
    return _show(lines)


def _student(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import student

    return _show(student.write(options.to))


def _collect(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import collect

    return _show(collect.write(options.folder, options.to))


def _colab(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import colab

    return _show(colab.write(options.to, options.repository))


def _bench(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import bench

    return _show(
        bench.run(options.name, options.only, options.minutes, options.to)
        if options.name
        else bench.listing()
    )


def _show(lines) -> int:
    for line in lines:
        print(line, flush=True)
    return 0


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    from medlearn.teaching import doctor

    return doctor.report()


def _clean(options: argparse.Namespace, rest: list[str]) -> int:
    from tools import cleaning

    cleaning.clean(cache=options.cache, venv=options.venv)
    return 0


COMMANDS = {
    OPEN: _open,
    "setup": _setup,
    "test": _test,
    "run": _run,
    "site": _site,
    "data": _data,
    "student": _student,
    "collect": _collect,
    "colab": _colab,
    "bench": _bench,
    "doctor": _doctor,
    "clean": _clean,
}
