"""What the text of lesson 05 says of its committed run and table, held against them."""

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def test_lesson_05_compares_two_networks_in_two_laboratories():
    text = printed("05")
    assert numbers_after("probe ViT minus probe Lite0, lab-b:", text)[1] > 0
    assert "73,728 values in adapters: 0.3% of the network's weights" in text
    assert "48 adapter arrays moved, and: ['head/bias', 'head/kernel']" in text
    assert numbers_after("LoRA minus its probe, lab-a:", text)[2] > 0


def test_lesson_05_finds_the_laboratory_in_the_features():
    text = printed("05")
    lite0, vit = numbers_after("laboratory read:", text)[1:4:2]
    assert lite0 > 0.95 and vit > 0.95
