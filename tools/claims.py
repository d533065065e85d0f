"""The claims of the page "What we know and how well", each with the row that holds its number.

A new claim is a new `Claim` in the list of its section; `tools.site.evidence` writes the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

EXPLORATORY, CONFIRMATORY = "exploratory", "confirmatory"
BY_IMAGE = "patients unknown, so by image"
BY_GROUP = "patients unknown, so by group of tiles"


@dataclass(frozen=True)
class Claim:
    """A sentence and the row that holds its number.

    Attributes
    ----------
    sentence : str
        What is claimed; the number follows it.
    table : str
        The committed table.
    row : dict of str to str
        What the row holds in some columns, so that it is the only one.
    column : str
        The number's column; its interval is in the columns that end in ``_low`` and ``_high``.
    limits : tuple of str
        What a reader must know beside the interval.
    status : str
        `EXPLORATORY`, or `CONFIRMATORY` if the rule was committed before the labels were opened,
        once.
    count : str
        The column that says how many seeds, or pairs of domains, the number rests on.
    """

    sentence: str
    table: str
    row: dict[str, str]
    column: str
    limits: tuple[str, ...] = ()
    status: str = EXPLORATORY
    count: str = "seeds"


def _arena(choice: str, column: str, sentence: str) -> Claim:
    row = {"half": "test", "group": "all", "choice": choice}
    limits = ("simulated", "intervals over pairs, one seed each")
    return Claim(sentence, "arena_summary", row, column, limits, CONFIRMATORY, "pairs")


def _duel(difference: str, design: str, sentence: str) -> Claim:
    row = {"half": "test", "difference": difference, "design": design}
    limits = ("simulated", "intervals over pairs", "wrong answers are in the table")
    return Claim(sentence, "duels_summary", row, "within_40", limits, CONFIRMATORY, "pairs")


def _sealed(column: str, choice: str, sentence: str) -> Claim:
    limits = ("simulated", "intervals over laboratories")
    row = {"choice": choice}
    return Claim(sentence, "challenge_summary", row, column, limits, CONFIRMATORY, "laboratories")


def _few_labels(labels: str, method: str, sentence: str) -> Claim:
    row = {"data": "wbc", "labels": labels, "method": method}
    return Claim(
        f"{labels} labels: {sentence}", "transfer_summary", row, "minus_probe", (BY_IMAGE,)
    )


def _foundation(sentence: str, method: str, column: str) -> Claim:
    row = {"data": "wbc", "labels": "20", "method": method}
    limits = (BY_IMAGE, "equal views, 9 to 19 CPU-seconds of training, 70 px")
    return Claim(sentence, "foundation_summary", row, column, limits)


def _share(pair: str, sentence: str, limit: str) -> Claim:
    row = {"pair": pair, "choice": "chosen by consensus"}
    return Claim(sentence, "adaptation_summary", row, "share", ("transductive", limit))


def _own_share(pair: str, sentence: str) -> Claim:
    row = {"pair": pair, "choice": "chosen by consensus"}
    return Claim(sentence, "adaptation_summary", row, "own_share", ("transductive", BY_IMAGE))


def _nuclei(pair: str, choice: str, sentence: str, *more: str) -> Claim:
    limits = (BY_GROUP, *more)
    return Claim(sentence, "nuclei_summary", {"pair": pair, "choice": choice}, "gain", limits)


def _with_simulator(task: str, target: str, sentence: str) -> Claim:
    row = {"task": task, "pair": f"both>{target}", "choice": "committed"}
    limits = (BY_IMAGE, "the oracle is a probe on plain frames, so 1 is no upper end")
    return Claim(sentence, "sim_to_real_summary", row, "share", limits)


def _below_oracle(pair: str, sentence: str) -> Claim:
    row = {"task": "segmentation", "pair": pair, "choice": "committed by certainty"}
    return Claim(sentence, "sim_to_real_summary", row, "below_oracle", (BY_IMAGE, FEWER_STEPS))


RIVALS = {  # of the tuned probe, in transfer_summary
    "staged fine-tuning": "fine-tuning in stages",
    "large head": "large head on the same frozen features",
    "scratch": "small network from scratch",
    "tuned probe, ViT": "tuned probe on a vision transformer",
}
TO_STAINED, FROM_STAINED = "fluorescence>stained", "stained>fluorescence"
CEILING = "known only with the masks"
FEWER_STEPS = "the oracle had a quarter of the steps"

SECTIONS = {
    "Few labels: macro-F1 minus that of a tuned linear probe on the same labelled images, by "
    "labels per class, real cells": [
        _few_labels(labels, method, sentence)
        for labels in ("2", "5", "20")
        for method, sentence in RIVALS.items()
    ],
    "A vision transformer (DINOv2 ViT-S/14), 20 labels per class, real cells: differences in "
    "macro-F1": [
        _foundation("probe minus a probe on Lite0, at home", "probe ViT", "minus_lite0"),
        _foundation("the same, in the other laboratory", "probe ViT", "minus_lite0_away"),
        _foundation("Lite0 fine-tuned minus its probe, at home", "Lite0 fine-tuned", "minus_probe"),
        _foundation("the same, in the other laboratory", "Lite0 fine-tuned", "minus_probe_away"),
        _foundation("LoRA minus its probe, at home", "LoRA", "minus_probe"),
        _foundation("the same, in the other laboratory", "LoRA", "minus_probe_away"),
        _foundation("last block tuned minus its probe, at home", "last block", "minus_probe"),
        _foundation("the same, in the other laboratory", "last block", "minus_probe_away"),
        _foundation("all weights tuned minus its probe, at home", "full", "minus_probe"),
        _foundation("the same, in the other laboratory", "full", "minus_probe_away"),
    ],
    "Another laboratory, no labels from there: share of the gap to the oracle that the choice by "
    "consensus closes": [
        _share("smear", "simulated cells", "by patient"),
        _share("smear stain", "simulated cells, stain only", "by patient"),
        _share("wbc a>b", "real cells, a to b", BY_IMAGE),
        _share("wbc b>a", "real cells, b to a", BY_IMAGE),
        _share("wbc granules a>b", "real cells in two classes, a to b", BY_IMAGE),
        _share("wbc granules b>a", "real cells in two classes, b to a", BY_IMAGE),
    ],
    "The same, to an oracle on the images and BatchNorm statistics of the chosen candidate": [
        _own_share("wbc a>b", "real cells, a to b"),
        _own_share("wbc b>a", "real cells, b to a"),
        _own_share("wbc granules a>b", "real cells in two classes, a to b"),
        _own_share("wbc granules b>a", "real cells in two classes, b to a"),
    ],
    "A simulator as second teacher: share of the gap to the oracle on plain images": [
        _with_simulator("cells", "wbc b", "real cells, a to b"),
        _with_simulator("cells", "wbc a", "real cells, b to a"),
    ],
    "Outlines by a segmenter that saw simulated cells only: mean Dice below a segmenter of the "
    "real laboratory": [
        _below_oracle("virtual>wbc a", "real laboratory a"),
        _below_oracle("virtual>wbc b", "real laboratory b"),
    ],
    "Outlines of nuclei, another kind of microscopy: mean Dice minus source only": [
        _nuclei(TO_STAINED, "committed by certainty", "fluorescence to stained, by certainty"),
        _nuclei(TO_STAINED, "chosen by amounts", "fluorescence to stained, by amounts"),
        _nuclei(TO_STAINED, "best candidate", "fluorescence to stained, best candidate", CEILING),
        _nuclei(TO_STAINED, "oracle", "fluorescence to stained, oracle", "with masks"),
        _nuclei(FROM_STAINED, "committed by certainty", "stained to fluorescence, by certainty"),
        _nuclei(FROM_STAINED, "chosen by amounts", "stained to fluorescence, by amounts"),
        _nuclei(FROM_STAINED, "best candidate", "stained to fluorescence, best candidate", CEILING),
        _nuclei(FROM_STAINED, "oracle", "stained to fluorescence, oracle", "with masks"),
    ],
    # The arena: choices without labels over many pairs, `selection.choose`.
    "A choice without labels, over many simulated pairs: balanced accuracy minus source only, and "
    "the share of pairs in which it is more than two points below": [
        _arena("choose", "gain", "`selection.choose`: gain"),
        _arena("choose", "harm", "`selection.choose`: share of pairs harmed"),
        _arena("consensus", "gain", "highest consensus: gain"),
        _arena("consensus", "harm", "highest consensus: share of pairs harmed"),
        _arena("information", "gain", "highest information: gain"),
        _arena("information", "harm", "highest information: share of pairs harmed"),
    ],
    "Sealed laboratories, drawn after the rule was fixed: balanced accuracy": [
        _sealed("score", "source only", "source only"),
        _sealed("score", "course", "the course's own choice"),
        _sealed("gain", "course", "the course's own choice minus source only"),
        _sealed(
            "gain",
            "best candidate",
            "best candidate, known only with the labels, minus source only",
        ),
    ],
    # Duels: how many labels tell two models apart, `selection.duel`.
    "A few labels where two models disagree: share of duels decided within 40 labels": [
        _duel("all", "duel", "`selection.duel`, all adapted models"),
        _duel("10 points or more", "duel", "`selection.duel`, models that differ by ten points"),
        _duel("10 points or more", "labels at random", "as many labels at random, same models"),
    ],
}

ON_REAL_CELLS = {  # columns of arena_real
    "`selection.choose`": "gain",
    "highest consensus": "consensus",
    "highest information": "information",
    "highest certainty": "certainty",
    "highest source validation": "source_validation",
    "the candidate that `selection.choose` ranks first, without abstaining": "proposed_gain",
}


def texts() -> Iterator[str]:
    """Yield each text of the claims, which translators put into other languages."""
    for title, section in SECTIONS.items():
        yield title
        for claim in section:
            yield from (claim.sentence, claim.status, *claim.limits, claim.count)
    yield from ON_REAL_CELLS
