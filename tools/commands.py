"""The commands of `course.py`."""

import argparse
import os
import sys
from collections.abc import Iterable
from functools import partial

from medlearn.teaching import language
from tools import lessons
from tools.arguments import OPEN, parser


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code.

    A mistake that a user can put right is one sentence on stderr, and the exit code 1.
    """
    if not arguments or (arguments[0] not in ("-h", "--help") and arguments[0].startswith("-")):
        arguments = [OPEN, *arguments]
    options, extra = parser().parse_known_args(arguments)
    if extra and options.command != "test":
        options.parser.refuse(extra)
    options.extra = extra
    # The matrices are small: OpenBLAS threads that wait for a busy core made a linear probe 10 to
    # 40 times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if getattr(options, "language", None):
        os.environ[language.VARIABLE] = options.language  # kernels inherit it
    try:
        return _COMMANDS[options.command](options)
    except (LookupError, OSError, RuntimeError, ValueError) as error:
        print(error.args[-1] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 1


def _open(options: argparse.Namespace) -> int:
    from tools import door, lab
    from tools.translation import copies

    lessons.find([])  # says what is wrong where there are none
    path = door.path()
    if language.name():
        _show(copies.write(language.name()))
        path = copies.folder(language.name()) / "notebooks" / door.NAME
    return lab.open_lab(path, options.port, browser=not options.no_browser)


def _setup(options: argparse.Namespace) -> int:
    print("The course is set up: `python3 course.py` opens it, `python3 course.py doctor` checks.")
    return 0


def _test(options: argparse.Namespace) -> int:
    from tools import suite

    return suite.test(options.extra, options.times, slow=options.all)


def _run(options: argparse.Namespace) -> int:
    from tools import running

    if options.real and options.save:
        raise ValueError(
            "--real and --save do not go together: pictures from real data sets may not be "
            "published in a notebook. Leave one of the two out."
        )
    if options.save and language.name():
        raise ValueError(
            "--save keeps English outputs only: leave --language and MEDLEARN_LANGUAGE out."
        )
    paths = lessons.find(options.numbers)
    return _show(running.run(paths, options.real, options.save, options.times))


def _lint(options: argparse.Namespace) -> int:
    from tools import linting

    return linting.lint(fix=options.fix)


def _site(options: argparse.Namespace) -> int:
    from tools import site

    return _show(
        site.write(options.to, options.repository, partial(print, flush=True), language.name())
    )


def _data(options: argparse.Namespace) -> int:
    from tools import data

    if options.action == "mirror":
        return _show(data.mirror(options.to, options.names, options.size))
    if options.action == "fetch":
        return _show(data.fetch(options.names, options.size))
    return _show(data.table())


def _student(options: argparse.Namespace) -> int:
    from tools import student

    return _show(student.write(options.to, options.solutions, language.name()))


def _collect(options: argparse.Namespace) -> int:
    from tools import collect

    return _show(collect.write(options.folder, options.to))


def _handouts(options: argparse.Namespace) -> int:
    from tools import handouts

    return _show(handouts.write(options.to))


def _challenge(options: argparse.Namespace) -> int:
    from tools import challenge

    if options.action == "new":
        return _show(challenge.new(options.to, options.task, options.envelope))
    paths = (options.folder, options.envelope, options.to)
    return _show(challenge.mark(*paths, force=options.force))


def _colab(options: argparse.Namespace) -> int:
    from tools import colab

    return _show(colab.write(options.to, options.repository, language.name()))


def _bench(options: argparse.Namespace) -> int:
    from tools import bench

    if options.name is None:
        return _show(bench.listing())
    return _show(bench.run(options.name, options.only, options.minutes, options.to))


def _predict(options: argparse.Namespace) -> int:
    from tools import predict

    paths = (options.model, options.folder, options.to, options.masks)
    return _show(predict.write(*paths, force=options.force))


def _doctor(options: argparse.Namespace) -> int:
    from medlearn.teaching import doctor

    return doctor.report()


def _clean(options: argparse.Namespace) -> int:
    from tools import cleaning

    cleaning.clean(cache=options.cache, venv=options.venv)
    return 0


def _show(lines: Iterable[str]) -> int:
    for line in lines:
        print(line, flush=True)
    return 0


_COMMANDS = {
    OPEN: _open,
    "setup": _setup,
    "test": _test,
    "run": _run,
    "lint": _lint,
    "site": _site,
    "data": _data,
    "student": _student,
    "collect": _collect,
    "handouts": _handouts,
    "challenge": _challenge,
    "colab": _colab,
    "bench": _bench,
    "predict": _predict,
    "doctor": _doctor,
    "clean": _clean,
}
