"""What the texts of lessons 24 and 25 say of their committed runs, held against the outputs."""

import re

from test_lesson_claims import numbers_after, printed


def test_lesson_24_finds_that_the_fixed_cost_limits_more_than_the_link():
    text = printed("24")
    generator, busy = numbers_after("python generator:", text)
    tensorflow, _ = numbers_after("TensorFlow, one thread:", text)
    cached, busy_with_cache = numbers_after("+ cache:", text)
    assert busy < 40 and busy_with_cache > 1.5 * busy and tensorflow > 1.5 * generator
    assert cached > 2 * generator
    result = text.partition("images of 128 pixels on this machine")[2]
    assert numbers_after("two workers:", result)[0] > numbers_after("one process:", result)[0]
    fixed_cost, link = numbers_after("lost to the fixed cost:", text)
    assert fixed_cost > 2 * link
    efficiency = {}
    for batch in (32, 256, 2048):
        line = re.search(rf"efficiency of 8 workers, batch of {batch}: (.*)", text)[1]
        efficiency[batch] = {
            name: int(share) for share, name in re.findall(r"(\d+)% \(([^)]+)\)", line)
        }
    assert 35 < efficiency[32]["free"] < 65 and efficiency[2048]["free"] > 90
    assert efficiency[2048]["10 Gbit/s"] > 90


def test_lesson_24_resumes_to_the_same_weights():
    text = printed("24")
    assert numbers_after("largest difference of a weight:", text)[0] > 0.001
    assert "largest difference of a weight: 0; you made no guess" in text
    assert "A worker went away in epoch 2" in text


def test_lesson_25_says_what_its_run_shows():
    text = printed("25")
    assert "candidate that the rule takes: efficientnet_lite0 block_14" in text
    _, low, high = numbers_after("fine-tuned minus frozen, balanced accuracy:", text)[:3]
    assert low <= 0 <= high and "we take: frozen" in text
    home = numbers_after("at home: accuracy", text)
    assert home[0] > 0.85 and home[1] > 0.75
    abroad = {
        name: numbers_after(f"{name}:", text.partition("second site, balanced accuracy:")[2])
        for name in ("model as it is", "probe, scale", "probe, scale and colour")
    }
    assert 0.4 < abroad["model as it is"][0] < 0.6
    assert numbers_after("scale matched, gain:", text)[1] <= 0
    gain, low, _ = numbers_after("scale and colour matched, gain:", text)
    assert low > 0 and gain < (home[0] - abroad["model as it is"][0]) / 2
    assert "choice: source only" in text
    assert numbers_after("share of the second site that the predictor refuses:", text)[0] < 0.05


def test_lesson_25_reads_every_row_and_predicts_a_new_file():
    text = printed("25")
    assert "302 rows: 296 images read, 6 named as problems" in text
    assert "300 labels arrived, 0 of classes" in text
    decision, truth = re.search(r"new\.png: (\w+), ask a human: False; it is (\w+)", text).groups()
    assert decision == truth
