"""Labels in an envelope: no look before a commitment, no commitment after a look."""

import numpy as np
import pytest

from medlearn.teaching import envelope


def test_nothing_is_seen_before_a_choice_is_written_down():
    sealed = envelope.Envelope([3, 1, 2])
    for look in (lambda: sealed.ask(0), lambda: sealed.open("score")):
        with pytest.raises(ValueError, match="Commit before you look"):
            look()
    assert not sealed.asked and not sealed.opened


def test_a_choice_may_change_until_the_first_look():
    sealed = envelope.Envelope([3, 1, 2])
    sealed.commit(recipe="coral")
    sealed.commit(recipe="transport")
    assert sealed.ask(2) == 2
    with pytest.raises(ValueError, match="have been seen"):
        sealed.commit(recipe="coral")
    assert sealed.committed == {"recipe": "transport"}


def test_an_empty_commitment_is_none():
    with pytest.raises(ValueError, match="Nothing is chosen"):
        envelope.Envelope([3, 1, 2]).commit()


def test_each_look_is_noted_and_changes_nothing_inside():
    sealed = envelope.Envelope(np.array([3, 1, 2]))
    sealed.commit(recipe="coral")
    labels = sealed.open("score")
    labels[:] = 0
    assert [sealed.ask(index) for index in (0, 2, 0)] == [3, 2, 3]
    assert sealed.asked == [0, 2, 0] and sealed.opened == ["score"]
    expected = "<Envelope of 3 labels: committed to recipe = coral; 3 asked for; opened to score>"
    assert repr(sealed) == expected


def test_masks_stay_inside_as_labels_do():
    masks = np.arange(12).reshape(3, 2, 2)
    sealed = envelope.Envelope(masks)
    with pytest.raises(ValueError, match="Commit before you look"):
        sealed.open("score")
    sealed.commit(recipe="paint")
    sealed.ask(1)[:] = 0
    masks[:] = 0
    assert sealed.open("score").tolist() == np.arange(12).reshape(3, 2, 2).tolist()
    assert repr(sealed).startswith("<Envelope of 3 labels: committed to recipe = paint; 1 asked")
