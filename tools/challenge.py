"""`course.py challenge`: a fresh hospital for a class, and a board of what the class hands in."""

from collections.abc import Iterator
from pathlib import Path

from medlearn._harmless import harmless
from medlearn.teaching import challenge


def new(to: Path, task: str, envelope: Path | None) -> Iterator[str]:
    """Draw a hospital, and yield what to print.

    Parameters
    ----------
    to : Path
        A new or empty folder for the students.
    task : str
        "kinds" or "outlines".
    envelope : Path, optional
        The teacher's file; by default beside the folder.
    """
    yield "Drawing two laboratories; the course commits to its own answer (half a minute) ..."
    seal = challenge.write(to, task, envelope)
    secret = challenge.envelope_of(to.expanduser()) if envelope is None else envelope
    yield f"For the students: {to} ({len(seal.ids)} images without labels)"
    yield f"For you alone:    {secret} (needed for `challenge mark`; keep it to yourself)"
    yield f"Commitment:       {seal.commitment}"


def mark(folder: Path, envelope: Path, to: Path, *, force: bool = False) -> Iterator[str]:
    """Mark what was handed in, write the board, and yield what to print.

    Parameters
    ----------
    folder : Path
        Holds a file or a folder for each person.
    envelope : Path
        The teacher's file.
    to : Path
        The board, which ends in .html; a table of the same name goes beside it.
    force : bool
        Whether an older board is replaced.

    Raises
    ------
    ValueError
        If there is no hand-in, or the envelope is none.
    FileExistsError
        If a board of this name exists.
    """
    folder, envelope, to = folder.expanduser(), envelope.expanduser(), to.expanduser()
    challenge.board_files(to, force=force)  # refuse before the work
    board = challenge.mark_folder(folder, challenge.open_envelope(envelope))
    page, table = challenge.write_board(board, to, force=force)
    for name, problem in board.refused:
        yield f"REFUSED {harmless(name)}: {problem}"
    for row in board.rows:
        state = "      " if row.is_line else "marked"
        harm = ", harm" if row.is_harm else ""
        yield f"{state} {row.score}  {harmless(row.name)}{harm}"
    marked = sum(not row.is_line for row in board.rows)
    yield f"{marked} marked, {len(board.refused)} refused: {page} and {table}"
