"""The command line of `python3 -m tools.translation`."""

import argparse
import sys
from pathlib import Path

from tools.translation import catalogues, copies, exchange, readme, share, sources

LANGUAGE = "zh_CN"


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _extract(options: argparse.Namespace) -> int:
    """Bring PO files up to date with their English."""
    for part in options.parts or sources.parts():
        if catalogues.write(share.today(part, LANGUAGE), part, LANGUAGE):
            print(f"{catalogues.path(part, LANGUAGE).relative_to(catalogues.FOLDER)}: updated")
    return 0


def _export(options: argparse.Namespace) -> int:
    catalogue = share.today(options.part, LANGUAGE)
    text = exchange.export(catalogue, options.all)
    options.to.write_text(text, encoding="utf-8")
    print(f"{text.count('=== ')} messages are in {options.to}.")
    return 0


def _import(options: argparse.Namespace) -> int:
    """Take translations over; the exit code is 1 if a rule is broken."""
    catalogue = share.today(options.part, LANGUAGE)
    problems = exchange.take_over(catalogue, options.file.read_text(encoding="utf-8"))
    catalogues.write(catalogue, options.part, LANGUAGE)
    print("\n".join(problems) if problems else "No problem found.")
    _print_share(options.part)
    return bool(problems)


def _check(options: argparse.Namespace) -> int:
    """Print what translations have lost, and the share; the exit code is 1 if CI would fail."""
    failed = False
    translated_in_all = letters_in_all = 0
    finished = share.finished(LANGUAGE)
    for part in options.parts or sources.parts():
        catalogue = share.today(part, LANGUAGE)
        problems = share.problems(catalogue)
        for problem in problems:
            print(f"{part}: {problem}")
        translated, letters = share.of(catalogue)
        translated_in_all, letters_in_all = translated_in_all + translated, letters_in_all + letters
        is_short = part in finished and translated < share.ENOUGH * letters
        failed |= bool(problems) or is_short
        ending = f"; at least {share.ENOUGH:.0%} is expected" if is_short else ""
        print(f"{part}: {translated / letters:.1%} translated{ending}")
    print(f"in all: {translated_in_all / max(1, letters_in_all):.1%} translated")
    return failed


def _build(options: argparse.Namespace) -> int:
    for line in copies.write(LANGUAGE, options.to):
        print(line)
    if "readme" in share.finished(LANGUAGE) and readme.write(LANGUAGE):
        print(f"{readme.name(LANGUAGE)} is written.")
    return 0


def _print_share(part: str) -> None:
    translated, letters = share.of(share.today(part, LANGUAGE))
    print(f"{part}: {translated / letters:.1%} translated")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.translation")
    commands = parser.add_subparsers(required=True)
    for name, run in (("extract", _extract), ("check", _check)):
        command = commands.add_parser(name, help=run.__doc__)
        command.add_argument("parts", nargs="*", metavar="PART", help="such as 03; default: all")
        command.set_defaults(run=run)
    export = commands.add_parser("export", help="what is to be translated, as plain text")
    export.add_argument("part", metavar="PART")
    export.add_argument("--to", type=Path, required=True, metavar="FILE.txt")
    export.add_argument("--all", action="store_true", help="also what is translated already")
    export.set_defaults(run=_export)
    importing = commands.add_parser("import", help="take a translated file over")
    importing.add_argument("part", metavar="PART")
    importing.add_argument("file", type=Path, metavar="FILE.txt")
    importing.set_defaults(run=_import)
    build = commands.add_parser("build", help="write the lessons in Chinese, and the README")
    build.add_argument("--to", type=Path, metavar="FOLDER")
    build.set_defaults(run=_build)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
