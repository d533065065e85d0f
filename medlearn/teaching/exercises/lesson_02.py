"""Lesson 02: how small a probe is, pooling by hand, and a few-label score without a leak."""

import numpy as np

from medlearn.teaching.exercises._forms import Function, Value

_MAPS = np.random.default_rng(20).normal(size=(2, 4, 6, 3))
_LARGE = np.random.default_rng(21).normal(size=(3, 2, 2, 5))


def _weights_and_biases(classes, features):
    return classes * (features + 1)


def _weights(classes, features):
    return classes * features


def _one_class(classes, features):
    return features + 1


def _one_bias(classes, features):
    return classes * features + 1


def _mean(maps, *axes):
    return np.mean(maps, axis=axes)


# ---- layers with traps for the few-label score ---------------------------------------------------

_LABELLED_PATIENTS, _NEW_PATIENTS = 12, 20  # three images each; two of a labelled patient's count


def _planted(seed, missed, order):
    """Arguments of the open task; on new patients the honest layer misses some images."""
    random = np.random.default_rng(seed)
    patients = np.tile(np.arange(_LABELLED_PATIENTS + _NEW_PATIENTS), 3)
    labels = patients % 2
    is_new = patients >= _LABELLED_PATIENTS
    labelled = np.flatnonzero(~is_new)[: 2 * _LABELLED_PATIENTS]
    new = np.flatnonzero(is_new)
    looks = random.normal(scale=3, size=(len(np.unique(patients)), 30))
    layers = {
        "noise": random.normal(size=(len(labels), 4)),
        "honest": _class_signal(random, labels, np.append(labelled[:4], new[:missed])),
        "identity": looks[patients] + random.normal(scale=0.01, size=(len(labels), 30)),
        "later": _class_signal(random, labels, labelled[:8]),
    }
    names = [f"block_{index}" for index in range(len(order))]
    return dict(zip(names, map(layers.get, order), strict=True)), labels, patients, labelled


def _class_signal(random, labels, flipped):
    """Vectors that show the class, but the other class on the flipped rows."""
    sign = np.where(labels, 1.0, -1.0)
    sign[flipped] *= -1
    return sign[:, None] + random.normal(scale=0.05, size=(len(labels), 3))


def _few_label(
    vectors, labels, patients, labelled, *, choosing=None, by_patient=True, keep=None, layer=None
):
    """The honest score; each keyword breaks one rule."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

    rows = labelled if choosing is None else choosing
    probe = LogisticRegression()
    grouped = {"groups": patients[rows]} if by_patient else {}
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0) if by_patient else 3
    scores = {
        name: cross_val_score(probe, of_layer[rows], labels[rows], cv=folds, **grouped).mean()
        for name, of_layer in vectors.items()
    }
    name = max(scores, key=scores.get) if layer is None else list(vectors)[layer]
    test = ~np.isin(patients, patients[labelled]) if keep is None else keep
    fitted = probe.fit(vectors[name][labelled], labels[labelled])
    return fitted.score(vectors[name][test], labels[test])


def _all_labels_choose(vectors, labels, patients, labelled):
    return _few_label(vectors, labels, patients, labelled, choosing=np.arange(len(labels)))


def _folds_by_image(vectors, labels, patients, labelled):
    return _few_label(vectors, labels, patients, labelled, by_patient=False)


def _scores_other_images(vectors, labels, patients, labelled):
    keep = np.setdiff1d(np.arange(len(labels)), labelled)
    return _few_label(vectors, labels, patients, labelled, keep=keep)


def _scores_all_images(vectors, labels, patients, labelled):
    return _few_label(vectors, labels, patients, labelled, keep=np.arange(len(labels)))


def _first_layer(vectors, labels, patients, labelled):
    return _few_label(vectors, labels, patients, labelled, layer=0)


EXERCISES = [
    Value(
        id="02.1",
        name="n_parameters",
        expected=_weights_and_biases,
        wrong=[
            (_weights, "Nearly: each class also has a bias."),
            (_one_class, "That is one class; there are several."),
            (_one_bias, "Each class has a bias of its own."),
        ],
        hints=[
            "Each class multiplies each feature by a weight of its own.",
            "A `Dense` layer has two arrays: a kernel and a second, smaller one. "
            "Which shape has each?",
        ],
    ),
    Function(
        id="02.2",
        name="mean_pool",
        cases=[
            ((_MAPS,), np.einsum("nhwc->nc", _MAPS) / 24),
            ((_LARGE,), np.einsum("nhwc->nc", _LARGE) / 4),
        ],
        wrong=[
            (lambda maps: maps.max(axis=(1, 2)), "That keeps the largest value; average instead."),
            (lambda maps: maps.sum(axis=(1, 2)), "That is the sum; average instead."),
            (
                lambda maps: _mean(maps, 2, 3),
                "You averaged the channels away; which axes are height and width?",
            ),
            (lambda maps: _mean(maps, 1), "Height is gone, width is still there."),
            (lambda maps: _mean(maps, 0, 1, 2), "Each image keeps a vector of its own."),
        ],
        hints=[
            "`maps.mean(axis=...)` takes a tuple of axes.",
            "Which two of the four axes say where in the picture?",
        ],
    ),
    Function(
        id="02.3",
        name="few_label_score",
        cases=[
            (_planted(30, 12, ["noise", "honest", "identity", "later"]), 0.8),
            (_planted(31, 6, ["identity", "noise", "honest", "later"]), 0.9),
        ],
        wrong=[
            (
                _all_labels_choose,
                "Too good to be true: labels of images that gave none had a say in the choice.",
            ),
            (
                _folds_by_image,
                "Your inner folds are by image. One layer knows the patient, not the class, and "
                "it won.",
            ),
            (
                _scores_other_images,
                "Some scored images are of patients who gave a label; score new patients only.",
            ),
            (_scores_all_images, "You also score the images that the probe was fitted on."),
            (_first_layer, "That is the first layer; which one is best on the inner folds?"),
        ],
        hints=[
            "Cut all arrays to the labelled rows first, and choose the layer with those alone.",
            "Three steps: a score per layer on `splits.folds` of the labelled rows; a probe "
            "fitted on the labelled rows; new patients are those not `np.isin` the labelled ones.",
        ],
    ),
]
