"""The challenge: who can know what, scores by hand, and a mean over sealed laboratories."""

import dataclasses
import html.parser
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import sealed_hospitals as made
from sklearn import metrics as sklearn_metrics

from medlearn.instruments import smear
from medlearn.teaching import challenge
from medlearn.teaching.challenge import _hospitals, _report


@pytest.fixture
def few_cells(monkeypatch):
    monkeypatch.setattr(_hospitals, "_HOME", {"kinds": 20, "outlines": 20})
    monkeypatch.setattr(_hospitals, "_POOL", {"kinds": 60, "outlines": 20})


def test_a_seed_draws_the_same_hospitals_and_another_draws_others(few_cells):
    (first, truth), (again, same) = (challenge.draw("kinds", "seed") for _ in range(2))
    other, _ = challenge.draw("kinds", "seed 2")
    assert np.array_equal(first.target_images, again.target_images)
    assert np.array_equal(truth.labels, same.labels)
    assert not np.array_equal(first.source_images, other.source_images)
    assert len(truth.labels) == len(first.target_images) == len(first.ids)


def test_home_and_the_new_hospital_show_other_cells_and_the_names_of_patients_hold_no_seed(
    few_cells,
):
    hospital, truth = challenge.draw("outlines", "seed")
    masks = {mask.tobytes() for mask in hospital.source_labels}
    assert not masks & {mask.tobytes() for mask in truth.labels}
    names = {*hospital.source_patients, *truth.patients}
    assert all(re.fullmatch(r"(home|away)-p\d\d", name) for name in names)


def test_the_order_and_the_shares_of_the_new_hospital_are_drawn(few_cells):
    draws = [challenge.draw("kinds", str(number))[1].labels for number in range(3)]
    assert all(np.bincount(labels, minlength=5).min() >= 8 for labels in draws)
    assert len({tuple(np.bincount(labels)) for labels in draws}) > 1
    assert any(np.diff(labels).min() < 0 for labels in draws)


def test_seeds_have_256_bits_and_do_not_repeat():
    seeds = {challenge.new_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert all(re.fullmatch("[0-9a-f]{64}", seed) for seed in seeds)


@pytest.mark.parametrize("task", challenge.TASKS)
def test_an_envelope_is_read_as_it_was_written_and_its_commitment_holds_all_of_it(task, tmp_path):
    seal = getattr(made, task)()
    seal.save(tmp_path / "a.npz")
    read = challenge.open_envelope(tmp_path / "a.npz")
    assert np.array_equal(read.truth.labels, seal.truth.labels)
    assert np.array_equal(read.lines.predictions, seal.lines.predictions)
    assert (read.seed, read.classes, read.ids) == (seal.seed, seal.classes, seal.ids)
    assert read.commitment == seal.commitment
    changed = []
    for change in ("seed", "labels", "predictions", "patients"):
        other = getattr(made, task)()
        if change == "seed":
            object.__setattr__(other, "seed", "6" * 64)
        elif change == "labels":
            other.truth.labels.ravel()[0] = 2
        elif change == "predictions":
            other.lines.predictions.ravel()[0] = 2
        else:
            other.truth.patients[0] = "away-p99"
        changed.append(other.commitment)
    assert len({seal.commitment, *changed}) == 5


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_envelope_is_refused(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="no envelope, or a damaged one"):
        challenge.open_envelope(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        challenge.open_envelope(tmp_path / "b.npz")


def test_an_envelope_with_objects_is_never_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    arrays = dict.fromkeys(("about", "labels", "patients", "predictions"), np.array([print]))
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="no envelope, or a damaged one"):
        challenge.open_envelope(path)


def test_candidates_and_choice_do_not_depend_on_the_truth(few_cells):
    hospital, truth = challenge.draw("outlines", "seed")
    permuted = challenge.Truth(truth.labels[::-1].copy(), truth.patients)
    first, second = (challenge.course_lines(hospital, part) for part in (truth, permuted))
    for name in first.candidates:
        assert np.array_equal(first.of(name), second.of(name))
    assert first.course == second.course
    assert not np.array_equal(first.of("oracle"), second.of("oracle"))
    assert "oracle" not in challenge.course_lines(hospital).names


def test_two_labelled_data_sets_make_a_challenge_and_others_are_refused():
    cells = smear.single_cells("lab-a", 10, 32)
    hospital, truth = challenge.of_datasets(cells, cells)
    assert np.array_equal(truth.labels, cells.labels) and hospital.task == "kinds"
    assert len(hospital.ids) == 10 and hospital.classes == tuple(cells.classes)
    with pytest.raises(ValueError, match="needs labels of both"):
        challenge.of_datasets(cells, dataclasses.replace(cells, labels=None))
    with pytest.raises(ValueError, match="same classes and image size"):
        challenge.of_datasets(cells, smear.single_cells("lab-b", 10, 40))


def test_scores_gains_regret_and_harm_by_hand():
    seal = made.kinds()
    truth = seal.truth.labels
    some = truth.copy()
    some[:4] = 0
    bad = (truth + 1) % 3
    board = challenge.mark({"some": some, "bad": bad}, seal)
    rows = {row.name: row for row in board.rows}
    expected = sklearn_metrics.balanced_accuracy_score(truth, some)
    assert rows["some"].score.value == pytest.approx(expected)
    assert rows["source only"].score.value == pytest.approx(0.5)
    assert rows["some"].gain.value == pytest.approx(expected - 0.5)
    assert rows["some"].regret == pytest.approx(1 - expected)
    assert rows["bad"].is_harm and rows["bad"].regret == pytest.approx(1)
    assert not rows["some"].is_harm and not rows["some"].is_line
    assert rows["some"].score.low < expected < rows["some"].score.high
    names = ["best candidate: good", "course: good", "some", "oracle", "source only", "bad"]
    values = [row.score.value for row in board.rows]
    assert set(names) == set(rows) and values == sorted(values, reverse=True)


def test_outlines_are_scored_by_dice_of_both_parts():
    seal = made.outlines()
    rows = {row.name: row for row in challenge.mark({"me": seal.truth.labels}, seal).rows}
    cytoplasm = 2 * 32 / (32 + 36)  # source only calls the four pixels of the nucleus cytoplasm
    assert rows["source only"].score.value == pytest.approx(cytoplasm / 2)
    assert rows["me"].score.value == 1
    assert rows["me"].gain.value == pytest.approx(1 - cytoplasm / 2)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_names_and_methods_become_neither_markup_nor_formulas(tmp_path):
    seal = made.kinds()
    name, method = '<img src=x onerror="1">', "=HYPERLINK(1)"
    marked = challenge.mark(
        {name: seal.truth.labels, "=1+1": seal.truth.labels}, seal, {name: method}
    )
    refused = (("<script>", "<b>no</b>"), ("@x", "=2"))
    board = challenge.Board(marked.task, marked.commitment, marked.rows, refused)
    page, table = challenge.write_board(board, tmp_path / "board.html")
    reader = Tags()
    reader.feed(page.read_text("utf-8"))
    assert not {"img", "script"} & reader.tags
    assert name in reader.text and "<b>no</b>" in reader.text and board.commitment in reader.text
    cells = pd.read_csv(table, dtype=str, keep_default_na=False).to_numpy().ravel()
    is_text = [cell for cell in cells if not re.fullmatch(r"-?\d\.\d{4}", cell)]
    assert {"'=1+1", "'@x", "'=2", "'=HYPERLINK(1)"} <= set(is_text)
    assert not any(cell[:1] in tuple("=+-@") for cell in is_text)


def test_a_board_is_not_overwritten_silently(tmp_path):
    board = challenge.mark({}, made.kinds())
    (tmp_path / "board.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="add --force"):
        challenge.write_board(board, tmp_path / "board.html")
    assert (tmp_path / "board.csv").read_text() == "mine"
    assert not (tmp_path / "board.html").exists()
    challenge.write_board(board, tmp_path / "board.html", force=True)
    assert (tmp_path / "board.csv").read_bytes().startswith(b"\xef\xbb\xbfname,")
    with pytest.raises(ValueError, match="should end in"):
        challenge.write_board(board, tmp_path / "board.txt")


@pytest.fixture
def small_laboratories(monkeypatch):
    """Laboratories of the seal by hand, of which each has its own images."""

    def draw(task, seed):
        seal = made.kinds()
        images = np.random.default_rng(int(seed[:8], 16)).integers(0, 255, (24, 4, 4, 3))
        hospital = challenge.Hospital(
            task, seal.classes, images[:6], seal.truth.labels[:6], seal.truth.patients[:6], images
        )
        return hospital, seal.truth

    monkeypatch.setattr(_report, "draw", draw)
    monkeypatch.setattr(_report, "course_lines", lambda hospital, truth: made.kinds().lines)


@pytest.mark.filterwarnings("ignore:This report rests on")
def test_a_report_is_the_mean_over_fresh_laboratories(small_laboratories):
    seen = []

    def method(hospital):
        seen.append(hospital)
        return np.arange(24) % 3 if len(seen) % 2 else (np.arange(24) + 1) % 3

    result = challenge.report(method, 4)
    assert result.table.score.tolist() == [1, 0, 1, 0]
    assert result.score.value == 0.5 and result.gain.value == pytest.approx(0)
    assert result.harm == 2 and result.regret == pytest.approx(0.5)
    assert result.is_fresh and result.seed in str(result)
    assert len({hospital.target_images.tobytes() for hospital in seen}) == 4
    assert not any(hasattr(hospital, "target_labels") for hospital in seen)


@pytest.mark.filterwarnings("ignore:This report rests on")
def test_a_report_can_be_repeated_and_then_says_so(small_laboratories):
    images = []
    for seed in (None, "known", "known"):
        result = challenge.report(
            lambda hospital: images.append(hospital.target_images) or np.arange(24) % 3,
            2,
            seed=seed,
        )
    assert not result.is_fresh and "known laboratories" in str(result)
    assert np.array_equal(images[2], images[4]) and not np.array_equal(images[0], images[2])


@pytest.mark.parametrize("count", [9, 10])
def test_a_report_on_few_laboratories_says_laboratories(small_laboratories, count):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = challenge.report(lambda hospital: np.arange(24) % 3, count)
    sentences = [str(warning.message) for warning in caught]
    expected = "This report rests on 9 laboratories: with fewer than 10, its intervals are "
    assert sentences == ([expected + "a rough guess."] if count == 9 else [])
    assert result.score.rests_on == result.gain.rests_on == f"{count} laboratories"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((24, 3)), "whole numbers of shape"),
        (np.zeros(24), "whole numbers of shape"),
        (np.full(24, 3), "class indices from 0 to 2"),
        (None, "whole numbers of shape"),
    ],
)
def test_a_method_that_returns_something_else_is_told(small_laboratories, wrong, message):
    with pytest.raises(ValueError, match=message):
        challenge.report(lambda hospital: wrong, 2)


def test_labels_of_a_laboratory_open_only_after_a_commitment(small_laboratories):
    hospital, sealed = next(challenge.laboratories(1))
    with pytest.raises(ValueError, match="Commit before you look"):
        sealed.open("score")
    sealed.commit(method="mine")
    assert len(sealed.open("score")) == len(hospital.target_images)


@pytest.mark.slow
@pytest.mark.parametrize("task", challenge.TASKS)
def test_a_report_on_real_draws_scores_the_laboratories_of_its_seed(task):
    """A method that predicts one class, scored by scikit-learn on hospitals that are drawn anew."""
    seen = []

    def first_class(hospital):
        seen.append(hospital)
        return np.ones((len(hospital.target_images), *hospital.source_labels.shape[1:]), int)

    result = challenge.report(first_class, 2, task=task, seed="a test")
    for number, (hospital, row) in enumerate(zip(seen, result.table.itertuples())):
        same, truth = challenge.draw(task, challenge.seed_of("a test", number))
        assert np.array_equal(hospital.target_images, same.target_images)
        if task == "kinds":
            ones = np.ones(len(truth.labels), int)
            expected = sklearn_metrics.balanced_accuracy_score(truth.labels, ones)
        else:  # the nucleus is missed, and all else is called cytoplasm
            is_part = (truth.labels == 1).sum((1, 2))
            expected = np.mean(2 * is_part / (is_part + truth.labels[0].size)) / 2
        assert row.score == pytest.approx(expected, abs=1e-6)
        assert row.regret == pytest.approx(row.best_candidate - expected, abs=1e-6)
        assert row.gain == pytest.approx(expected - row.source_only, abs=1e-6)
    assert result.harm == (result.table.score < result.table.source_only - 0.02).sum()
    assert "2 known laboratories" in str(result)


def test_a_sealed_laboratory_shows_the_cells_of_the_whole_pool(few_cells):
    """Only the chosen cells are simulated; they are those of a pool that is simulated whole."""
    hospital, truth = challenge.draw("kinds", "seed")
    seed_of_cells = _hospitals.number("seed", "kinds away cells")
    laboratory = smear.random_laboratory(_hospitals.number("seed", "kinds away laboratory"))
    pool = smear.single_cells(laboratory, 60, 96, seed_of_cells)
    assert np.array_equal(smear.cell_labels(60, seed_of_cells), pool.labels)
    whole = {image.tobytes(): label for image, label in zip(pool.images, pool.labels)}
    assert [whole[image.tobytes()] for image in hospital.target_images] == truth.labels.tolist()
