"""How well does the course's own choice do at laboratories that nobody has seen?

    python benchmarks/challenge.py [--only TEXT] [--minutes M]   # adds the missing rows

About twenty CPU-seconds for a row; fills results/challenge.csv.

A row is one sealed laboratory of `medlearn.teaching.challenge`, kinds of cells: `source only`, the
candidate that the course commits to, the best of its twelve candidates (known only with the
labels), and the oracle. The laboratories are those of ``challenge.report(recipe, 20, seed=SEED)``,
so a recipe of one's own can be compared with each row. PROTOCOL.md has the rule. Rows in the table
are not measured again: stop and start at will.
"""

import time

from common import table  # first: it sets the threads

from medlearn.teaching import challenge

KEY = ("task", "laboratory")
COLUMNS = (
    "images",
    "source_only",
    "course",
    "best_candidate",
    "oracle",
    "course_choice",
    "best_name",
    "cpu_seconds",
)
SEED = "benchmark challenge"
ROWS = [("kinds", number) for number in range(20)]


def measure(task: str, laboratory: int) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    task : str
        Name in `challenge.TASKS`.
    laboratory : int
        Number of the laboratory.
    """
    start = time.process_time()
    hospital, truth = challenge.draw(task, challenge.seed_of(SEED, laboratory))
    lines = challenge.course_lines(hospital, truth)
    scores = {name: challenge.value(task, truth, lines.of(name)) for name in lines.names}
    best = max(lines.candidates, key=lambda name: scores[name])
    line_scores = {
        "source_only": scores["source only"],
        "course": scores[lines.course],
        "best_candidate": scores[best],
        "oracle": scores["oracle"],
    }
    return {
        "images": len(hospital.target_images),
        **{name: f"{score:.4f}" for name, score in line_scores.items()},
        "course_choice": lines.course,
        "best_name": best,
        "cpu_seconds": round(time.process_time() - start),
    }


if __name__ == "__main__":
    table.grow("challenge", __doc__, KEY, COLUMNS, ROWS, measure)
