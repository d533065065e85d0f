"""The data catalogue: each card as a section of a page."""

from pathlib import Path

from medlearn import datasets
from medlearn.teaching.language import say

HEAD = """\
# Data

Every set has a card: where it comes from, who may use it for what, what to look out for.
`datasets.load("NAME")` brings each of them, simulated or real, and `datasets.load_volumes` whole
volumes of those that have them. Images of the real sets are never
shown here: not every licence lets us publish them.

| name | kind | twin | classes | domains | licence |
|---|---|---|---|---|---|
"""


def write(source: Path) -> None:
    """Write ``data.md`` into Sphinx's folder, from the cards."""
    cards = [datasets.card(name) for name in datasets.names()]
    rows = "\n".join(map(_row, cards))
    sections = "\n\n".join(map(_section, cards))
    page = f"{say(HEAD)}{rows}\n\n{sections}\n".replace("<", "&lt;")
    (source / "data.md").write_text(page, encoding="utf-8")


def _row(card: datasets.Card) -> str:
    cells = (
        f"[{card.name}](#data-{card.name})",
        say(card.kind),
        f"`{card.twin}`" if card.twin else "",
        str(len(card.classes) or "-"),
        _domains(card),
        card.licence.split(",")[0].split("(")[0],
    )
    return f"| {' | '.join(cells)} |"


def _section(card: datasets.Card) -> str:
    kind = say(card.kind)
    if card.twin:
        kind += say("; its twin is {twin}", twin=f"[{card.twin}](#data-{card.twin})")
    facts = [
        say("- **{name}:** {fact}", name=name, fact=fact)
        for name, fact in _facts(card).items()
        if fact
    ]
    return "\n".join(
        [
            f"(data-{card.name})=",
            f"## {card.name}",
            "",
            say("**{title}.** ({kind})", title=say(card.title), kind=kind),
            "",
            *facts,
            *(f"- {say(note)}" for note in card.notes),
        ]
    )


def _facts(card: datasets.Card) -> dict[str, str]:
    patients = say("known" if card.patients_known else "unknown: each image counts as its own")
    count = say("{count} by default", count=card.volumes)
    return {
        say("Licence"): card.licence,
        say("Domains"): _domains(card),
        say("Classes"): ", ".join(card.classes),
        say("Volumes"): count if card.volumes else "",
        say("Mask classes"): ", ".join(card.mask_classes),
        say("Patients"): patients,
        say("To download"): say(card.download),
        say("By default"): _defaults(card),
        say("Left out"): say(card.left_out),
        say("Origin"): f"`{card.origin}`" if card.origin else "",
        say("Cite"): card.citation,
    }


def _domains(card: datasets.Card) -> str:
    return ", ".join(card.domains + card.more_domains)


def _defaults(card: datasets.Card) -> str:
    count = say("at most {count} images", count=card.count) if card.count else say("every image")
    size = f"{card.size} px" if card.size else say("the full frame")
    return say("{count}, {size}", count=count, size=size)
