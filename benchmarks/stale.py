"""Which rows were measured by code that has changed since?

    python benchmarks/stale.py

A second; prints a line for each table: how many rows were measured by the code of today, how many
by other code, and of how many nobody knows (measured before rows named their code). It changes and
forbids nothing: a row by other code may well hold, and is measured again by its own command. "The
code" is what `common.origin` says, so a comment makes no row stale, and a changed simulator does.
"""

from collections.abc import Iterator
import csv

from common import origin

from medlearn import _files


def states(program: str, rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Return the rows of a table by what is known of their code.

    Parameters
    ----------
    program : str
        Name of the benchmark that makes the table.
    rows : list of dict
        The rows by column.

    Returns
    -------
    dict
        Lists of rows: "by the code of today", "by other code", "unknown".
    """
    of_today = origin.digest(program)
    state = {"by the code of today": [], "by other code": [], origin.UNKNOWN: []}
    for row in rows:
        name = "by the code of today" if row["code"] == of_today else "by other code"
        state[origin.UNKNOWN if row["code"] == origin.UNKNOWN else name].append(row)
    return state


def report() -> Iterator[str]:
    """Yield a line for each table, and one for each row by other code."""
    for path in sorted(_files.folder("results").glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
        if not rows or "code" not in rows[0]:
            continue
        program = rows[0]["command"].split("/")[-1].split(".py")[0]
        state = states(program, rows)
        counts = ", ".join(f"{len(part)} {name}" for name, part in state.items())
        yield f"{path.stem}: {counts}"
        for row in state["by other code"]:
            key = " ".join(list(row.values())[:3])
            yield f"    {key} (commit {row['commit']}, {row['date']})"


if __name__ == "__main__":
    print(*report(), sep="\n")
