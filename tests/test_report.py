import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from medlearn import report
from medlearn.metrics import Interval, SubgroupScore

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)> & ' </style>"


class ParsedPage(HTMLParser):
    """The tags of a page with their attributes, and its texts; tags must close in order."""

    VOID = ("meta", "img", "br")

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style",):
            self.texts.append(data)


def card(**changes):
    figure, ax = plt.subplots(figsize=(2, 2))
    ax.plot([0, 1], [0, 1])
    plt.close(figure)
    arguments = {
        "name": "Is it a monocyte?",
        "purpose": "To count cells.",
        "data": "200 images, lab-a.",
        "tested": "100 images of 90 patients.",
        "decision": "Yes from .3 on.",
        "numbers": {"sensitivity": Interval(0.912, 0.8, 0.97), "AUROC": (0.9, 0.85, 0.95)},
        "limits": ["One laboratory.", "Nobody tried it elsewhere."],
        "simulated": False,
        "figures": {"Reliability on the test": figure},
    }
    return report.ModelCard(**arguments | changes)


def test_the_page_says_all_of_it():
    text = " ".join(" ".join(ParsedPage(report.page(card())).texts).split())
    for expected in (
        "Is it a monocyte?",
        "To count cells.",
        "200 images, lab-a.",
        "100 images of 90 patients.",
        "Yes from .3 on.",
        "sensitivity 0.91 0.80 to 0.97",
        "AUROC 0.90 0.85 to 0.95",
        "One laboratory.",
        "Nobody tried it elsewhere.",
        "Reliability on the test",
        "Not for clinical use.",
    ):
        assert expected in text, expected


def test_numbers_say_what_they_rest_on():
    numbers = {"accuracy": Interval(0.9, 0.8, 0.95, rests_on="104 images"), "F1": (0.5, 0.4, 0.6)}
    text = " ".join(" ".join(ParsedPage(report.page(card(numbers=numbers))).texts).split())
    assert "accuracy 0.90 0.80 to 0.95 104 images" in text
    assert "F1 0.50 0.40 to 0.60 not said" in text
    assert "each image was taken for a patient of its own" in text


def test_users_subgroups_and_what_would_change_our_mind():
    adult = SubgroupScore(Interval(0.9, 0.8, 0.95, rests_on="30 patients"), 30, 60, "30 patients")
    child = SubgroupScore(None, 3, 6, "3 patients")
    subgroups = {f"accuracy{HOSTILE}": {f"adult{HOSTILE}": adult, "child": child}}
    full = card(users=f"Nurses.{HOSTILE}", subgroups=subgroups, change=f"A trial.{HOSTILE}")
    parsed = ParsedPage(report.page(full))
    text = " ".join(" ".join(parsed.texts).replace(HOSTILE, "").split())
    assert "Who may use it Nurses." in text and "What would change our mind A trial." in text
    assert "adult 0.90 0.80 to 0.95 30 patients" in text
    assert "child too few to say 3 patients" in text
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert "Who may use it" not in report.page(card())
    assert "What would change our mind" not in report.page(card())


def test_simulated_images_are_called_so():
    assert "All images were simulated" in report.page(card(simulated=True))
    assert "simulated" not in report.page(card(simulated=False))


HOSTILE_CHANGES = [
    *({field: HOSTILE} for field in ("name", "purpose", "data", "tested", "decision")),
    {"limits": [HOSTILE, "b"]},
    {"numbers": {HOSTILE: (0.5, 0.4, 0.6), "AUROC": (0.9, 0.85, 0.95)}},
    {"figures": {HOSTILE: next(iter(card().figures.values()))}},
]


@pytest.mark.parametrize("changes", HOSTILE_CHANGES, ids=lambda changes: next(iter(changes)))
def test_hostile_text_stays_text(changes):
    clean = ParsedPage(report.page(card()))
    attacked = ParsedPage(report.page(card(**changes)))
    for expected, (tag, attributes) in zip(clean.tags, attacked.tags, strict=True):
        assert (tag, sorted(attributes)) == (expected[0], sorted(expected[1]))
    assert HOSTILE in attacked.texts


def test_nothing_is_loaded_and_nothing_runs():
    page = ParsedPage(report.page(card()))
    assert not {"script", "link", "iframe", "object", "a"} & {tag for tag, _ in page.tags}
    attributes = [attribute for _, attributes in page.tags for attribute in attributes.items()]
    addresses = [value for name, value in attributes if name in ("src", "href")]
    assert addresses and all(address.startswith("data:image/png;base64,") for address in addresses)
    policies = [value for name, value in attributes if name == "content"]
    assert any(policy.startswith("default-src 'none'; ") for policy in policies)
    assert "url(" not in report.page(card()) and "@import" not in report.page(card())


def test_the_picture_is_the_figure():
    (image,) = [
        attributes for tag, attributes in ParsedPage(report.page(card())).tags if tag == "img"
    ]
    assert image["alt"] == "Reliability on the test"
    pixels = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1]))).convert("L")
    )
    assert pixels.shape == (192, 192) and pixels.min() < 128 < pixels.max()


def test_the_same_card_gives_the_same_page():
    same = card()
    assert report.page(same) == report.page(same)


def test_save_writes_utf_8(tmp_path):
    path = report.save(card(name="Ängström µ 细胞"), tmp_path / "card.html")
    text = path.read_text(encoding="utf-8")
    assert (
        text == report.page(card(name="Ängström µ 细胞"))
        and 'charset="utf-8"' in text
        and "细胞" in text
    )


def test_a_notebook_shows_the_card_without_changing_its_own_style():
    html = card()._repr_html_()
    assert "<body" not in html and "<h1>Is it a monocyte?</h1>" in html
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    selectors = [
        part.strip() for rule in re.findall(r"([^{}]+)\{", style) for part in rule.split(",")
    ]
    assert all(selector.startswith((".model-card", "@media print")) for selector in selectors)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"purpose": " "}, "a sentence of purpose"),
        ({"tested": None}, "a sentence of tested, not None"),
        ({"limits": []}, "every model has some"),
        ({"limits": "none"}, "a list of at least one sentence"),
        ({"numbers": {}}, "needs numbers"),
        ({"numbers": {"accuracy": 0.9}}, "accuracy needs a value with its interval"),
        ({"numbers": {"accuracy": (np.nan, 0, 1)}}, "accuracy needs a value with its interval"),
    ],
)
def test_a_card_with_a_gap_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        card(**changes)


def test_a_card_can_be_changed_by_replace():
    assert "Is it a basophil?" in report.page(dataclasses.replace(card(), name="Is it a basophil?"))
