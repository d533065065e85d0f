"""What the text of lesson 22 says of its committed run, held against the outputs."""

from test_lesson_claims import numbers_after, printed

from medlearn.teaching import results


def test_lesson_22_more_hospitals_and_harmonisation_gain():
    text = printed("22")
    gain, low, _ = numbers_after("eight hospitals minus one, pooled:", text)[:3]
    added, added_low, _ = numbers_after("each standardised minus pooled:", text)[:3]
    combat = numbers_after("ComBat minus each standardised:", text)[0]
    assert low > 0 and added_low > 0 and added > gain
    assert abs(combat) < 0.05
    looks, looks_low, _ = numbers_after("three random looks minus pooled:", text)[:3]
    assert looks_low > 0 and looks < added


def test_lesson_22_brings_greys_nearer_but_not_those_of_white_matter():
    assert "no nearer by landmarks: white matter" in printed("22")


def test_lesson_22_shows_both_traps_of_harmonisation():
    before, after = numbers_after("accuracy on noise", printed("22"))[:2]
    assert abs(before - 0.5) < 0.1 and after > 0.7
    assert numbers_after("first share with harm:", printed("22"))[0] > 0.2


def test_lesson_22_adapts_without_source_images_and_collapses_in_a_sorted_stream():
    text = printed("22")
    assert abs(numbers_after("federated minus in one place:", text)[0]) < 0.1
    assert numbers_after("SHOT minus the network as it is:", text)[1] > 0
    random = {
        name: numbers_after(f"random order, {name}:", text)[0]
        for name in ("fixed", "fast (0.5)", "slow (0.03)", "balanced memory")
    }
    by_class = {name: numbers_after(f"sorted by class, {name}:", text)[0] for name in random}
    assert random["fast (0.5)"] == max(random.values())
    assert by_class["fast (0.5)"] == min(by_class.values())
    assert by_class["fast (0.5)"] < by_class["fixed"] - 0.1
    for order in ("random order", "sorted by class"):
        for name in ("slow (0.03)", "balanced memory"):
            assert numbers_after(f"{order}, {name} minus fixed:", text)[1] > 0, (order, name)


def test_lesson_22_tent_gains_by_patient_and_collapses_by_class():
    text = printed("22")

    def change(order, name):
        return numbers_after(f"{order}, {name} minus the network as it is:", text)[:3]

    assert change("random order", "TENT as published")[1] > 0
    assert change("sorted by class", "TENT as published")[2] < -0.1
    for order in ("random order", "sorted by class"):
        for name in ("TENT, statistics of the model", "TENT, all three safeguards"):
            _, low, high = change(order, name)
            assert low <= 0 <= high and high - low < 0.1, (order, name)


def test_lesson_22_agrees_with_the_table():
    table = results.read("many_hospitals_summary").set_index(["method", "hospitals"])
    score = table.balanced_accuracy.str.split().str[0].astype(float)
    for method in ("pooled", "each standardised", "CORAL"):
        assert score[method, 8] > score[method, 1], method
    assert score["each standardised", 8] > score["pooled", 8]
    assert score["SHOT", 8] > score["small network", 8]
    assert abs(score["ComBat", 8] - score["each standardised", 8]) < 0.03
