"""Texts of others, for tables that a spreadsheet opens and for a terminal."""

import re

LONGEST_NAME = 80
FORMULA_SIGNS = tuple("=+-@|%＝＋－＠﹦﹢﹣﹫")  # narrow, wide and small
# Spreadsheets of other countries begin a new cell at a semicolon; some tables have a bar there.
_AFTER_SEPARATOR = re.compile(f'([;,|；，｜\t"]\\s*)([{re.escape("".join(FORMULA_SIGNS))}])')


def harmless(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a name that no spreadsheet takes for a formula and no terminal for a command.

    Parameters
    ----------
    name : str
        Any text.
    longest : int
        What is longer is cut after so many signs.
    """
    name = "".join(sign if sign.isprintable() else "?" for sign in name)[:longest]
    name = _AFTER_SEPARATOR.sub(r"\1'\2", name)
    return f"'{name}" if name.lstrip()[:1] in FORMULA_SIGNS else name
