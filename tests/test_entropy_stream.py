"""TENT on a stream: a hand-computed case, what a sorted stream does, and the safeguards."""

import numpy as np
import pytest

from medlearn._keras import keras
from medlearn.adaptation import entropy

EPSILON = 1e-3  # of BatchNormalization


def stream_model(gamma=(1.0, 1.0)):
    """Two features, normalised and put through softmax: simple enough to compute by hand."""
    inputs = keras.Input((2,))
    norm = keras.layers.BatchNormalization(name="norm", epsilon=EPSILON)
    model = keras.Model(inputs, keras.layers.Softmax()(norm(inputs)))
    norm.set_weights([np.array(gamma), np.zeros(2), np.array([0.5, -0.5]), np.array([4.0, 1.0])])
    return model


@pytest.fixture(scope="module")
def cells():
    return np.random.default_rng(3).normal(size=(24, 2)).astype(np.float32)


def softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum(1, keepdims=True)


def test_the_first_batch_is_predicted_before_anything_is_learned(cells):
    kept = entropy.tent_stream(stream_model(), cells[:6], batch_size=6, batch_statistics=False)
    by_hand = softmax((cells[:6] - [0.5, -0.5]) / np.sqrt(np.array([4.0, 1.0]) + EPSILON))
    np.testing.assert_allclose(kept, by_hand, atol=1e-5)
    own = entropy.tent_stream(stream_model(), cells[:6], batch_size=6)
    by_hand = softmax((cells[:6] - cells[:6].mean(0)) / np.sqrt(cells[:6].var(0) + EPSILON))
    np.testing.assert_allclose(own, by_hand, atol=1e-4)


def test_a_step_moves_scale_and_offset_against_the_gradient_of_the_entropy(cells):
    rate, model = 0.05, stream_model()
    predicted = entropy.tent_stream(
        model, cells[:12], batch_size=6, learning_rate=rate, batch_statistics=False
    )
    normal = (cells - [0.5, -0.5]) / np.sqrt(np.array([4.0, 1.0]) + EPSILON)

    def mean_entropy(parameters):
        probabilities = softmax(normal[:6] * parameters[:2] + parameters[2:])
        return -(probabilities * np.log(probabilities)).sum(1).mean()

    start = np.array([1.0, 1.0, 0.0, 0.0])
    steps = 1e-5 * np.eye(4)
    slopes = [mean_entropy(start + step) - mean_entropy(start - step) for step in steps]
    after = start - rate * np.sign(slopes)  # the first step of Adam has the size of its rate
    np.testing.assert_allclose(
        predicted[6:], softmax(normal[6:12] * after[:2] + after[2:]), atol=1e-3
    )
    np.testing.assert_array_equal(model.get_layer("norm").get_weights()[0], [1.0, 1.0])


def test_own_statistics_wipe_out_a_batch_of_one_class_and_kept_ones_do_not():
    model = stream_model()
    one_class = np.random.default_rng(0).normal([8.0, -3.0], 0.5, (20, 2))
    own = entropy.tent_stream(model, one_class, learning_rate=1e-4).argmax(1)
    kept = entropy.tent_stream(model, one_class, learning_rate=1e-4, batch_statistics=False)
    assert 0.2 < own.mean() < 0.8 and (kept.argmax(1) == 0).all()


def test_uncertain_images_teach_nothing_and_a_reset_brings_the_model_back(cells):
    options = dict(batch_size=6, learning_rate=0.5, batch_statistics=False)
    as_it_is = stream_model().predict(cells, verbose=0)
    learned = entropy.tent_stream(stream_model(), cells, **options)
    assert abs(learned - as_it_is).max() > 0.1
    for guard in ({"max_entropy": 1e-6}, {"reset_below": 1.0}):
        guarded = entropy.tent_stream(stream_model(), cells, **options, **guard)
        np.testing.assert_allclose(guarded, as_it_is, atol=1e-5)


def test_options_out_of_range_are_refused(cells):
    for options in ({"learning_rate": 0}, {"max_entropy": 1.5}, {"reset_below": -1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            entropy.tent_stream(stream_model(), cells, **options)
    inputs = keras.Input((2,))
    plain = keras.Model(inputs, keras.layers.Softmax()(inputs))
    with pytest.raises(ValueError, match="no BatchNormalization"):
        entropy.tent_stream(plain, cells)
