"""Split images by patient or by domain, so that no patient is both trained on and tested on."""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold

from medlearn import _checks, _pseudonyms

# ---- splits --------------------------------------------------------------------------------------


def by_patient(
    patients: ArrayLike, labels: ArrayLike | None = None, *, test: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Split images into train and test so that no patient is on both sides.

    Every patient is equally likely to be tested. The split depends on the patients and the seed,
    not on the order of the images. Patients of an own folder are pseudonyms, which differ from
    machine to machine: these are taken in the order of the files, so that the split is the same
    everywhere.

    Parameters
    ----------
    patients : array_like, shape (N,)
        One id per image, as text or numbers.
    labels : array_like, shape (N,), optional
        Classes. With labels the split is stratified: each class has its share of the test patients
        to within one patient, where the class of a patient is the most frequent one among the
        images. A warning names a class that one side lacks.
    test : float
        Share of the patients (not of the images) to test, above 0 and below 1. At least one
        patient is on each side.
    seed : int
        Random seed.

    Returns
    -------
    train, test : numpy.ndarray of int
        Sorted indices of images.

    Raises
    ------
    ValueError
        For fewer than two patients, a share out of range, NaN, or labels of another length.

    References
    ----------
    Stratification by systematic sampling: Cochran, Sampling Techniques, 3rd ed., 1977, chapter 8.

    Examples
    --------
    >>> from medlearn import splits
    >>> train, test = splits.by_patient(["ann", "ann", "bob", "cleo"], test=0.3)
    >>> train.tolist(), test.tolist()
    ([0, 1, 2], [3])
    """
    names, patient = _patients(patients)
    if not 0 < test < 1:
        raise ValueError(
            f"test is a share of the patients, above 0 and below 1, not {test!r}; try test=0.3."
        )
    if len(names) < 2:
        raise ValueError(
            f"All {len(patient)} images come from one patient; a split by patient needs two."
        )
    random = np.random.default_rng(seed)
    order = random.permutation(len(names))
    if labels is not None:
        labels = _labels(labels, patient)
        order = order[np.argsort(_majority(patient, labels)[order], kind="stable")]
    test_patients = order[_systematic_sample(len(names), test, random.random())]
    tested = np.isin(patient, test_patients)
    train_indices, test_indices = np.flatnonzero(~tested), np.flatnonzero(tested)
    if labels is not None:
        _warn_of_missing_class(labels, patient, [train_indices, test_indices])
    return train_indices, test_indices


def by_domain(
    domains: ArrayLike, patients: ArrayLike, test: object
) -> tuple[np.ndarray, np.ndarray]:
    """Test on one domain and train on all others, without the patients who are tested.

    A patient with images in several domains is tested, so this patient's images in other domains
    are in neither part.

    Parameters
    ----------
    domains : array_like, shape (N,)
        Name of the laboratory, site or scanner of each image.
    patients : array_like, shape (N,)
        One id per image.
    test : object
        The domain to test on, one of `domains`.

    Returns
    -------
    train, test : numpy.ndarray of int
        Sorted indices of images.

    Raises
    ------
    ValueError
        For a domain that does not occur, for domains and patients of different lengths, and if
        no patient is left to train on.

    Examples
    --------
    >>> from medlearn import splits
    >>> domains, patients = ["a", "a", "b", "c"], ["ann", "bob", "bob", "cleo"]
    >>> train, test = splits.by_domain(domains, patients, "b")
    >>> train.tolist(), test.tolist()
    ([0, 3], [2])
    """
    _, patient = _patients(patients)
    domains = np.asarray(domains)
    if domains.shape != patient.shape:
        raise ValueError(
            f"Each image needs its domain: there are {len(patient)} patient ids, but the domains "
            f"have the shape {domains.shape}."
        )
    tested = domains == test
    if not tested.any():
        raise ValueError(
            f"There is no image of domain {test!r}; there are "
            f"{', '.join(map(str, np.unique(domains)))}."
        )
    train_indices = np.flatnonzero(~np.isin(patient, patient[tested]))
    if not len(train_indices):
        raise ValueError(
            f"No patient is left to train on: every patient has images of {test!r}. Split "
            "by_patient first, then choose the domain of each part."
        )
    return train_indices, np.flatnonzero(tested)


def folds(
    patients: ArrayLike, labels: ArrayLike, *, k: int = 5, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the k train and test parts of a cross-validation by patient, stratified by class.

    Each image is tested once, and no patient is in both parts of a fold. Classes are spread over
    the folds as evenly as the patients allow.

    Parameters
    ----------
    patients : array_like, shape (N,)
        One id per image.
    labels : array_like, shape (N,)
        Classes.
    k : int
        Number of folds, 2 or more.
    seed : int
        Random seed.

    Returns
    -------
    iterator of (train, test)
        k pairs of sorted index arrays.

    Raises
    ------
    ValueError
        At the call: for k below 2, fewer patients than folds, classes that are all smaller than k,
        labels of another length, NaN, and patients so uneven that a fold would be empty.

    Warns
    -----
    UserWarning
        Of a class that a training part lacks, and of a test part with images of one class only.

    References
    ----------
    scikit-learn's ``StratifiedGroupKFold``.

    Examples
    --------
    >>> from medlearn import splits
    >>> patients, labels = ["ann", "ann", "bob", "cleo", "dan"], [0, 0, 1, 0, 1]
    >>> sorted(i for _, test in splits.folds(patients, labels, k=2) for i in test.tolist())
    [0, 1, 2, 3, 4]
    """
    names, patient = _patients(patients)
    labels = _labels(labels, patient)
    if k < 2:
        raise ValueError(f"Cross-validation needs at least k=2 folds, not {k}.")
    if len(names) < k:
        raise ValueError(
            f"{k} folds need at least {k} patients; there are {len(names)}: choose a smaller k."
        )
    largest = np.unique(labels, return_counts=True)[1].max()
    if largest < k:
        raise ValueError(
            f"{k} folds need a class of {k} images; the largest has {largest}: choose a smaller k."
        )
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # a class with fewer images than folds is usual for rare cells
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        pairs = list(splitter.split(labels, labels, patient))
    if not all(len(test) for _, test in pairs):
        raise ValueError(
            f"The patients are too uneven for {k} folds, one would be empty: choose a smaller k."
        )
    _warn_of_missing_class(labels, patient, [train for train, _ in pairs])
    _warn_of_one_class_folds(labels, [test for _, test in pairs])
    return iter(pairs)


# ---- steps ---------------------------------------------------------------------------------------


def _systematic_sample(count: int, share: float, start: float) -> np.ndarray:
    """Return evenly spaced positions, a share of `count`; `start` (0 to 1) is the random offset."""
    sample_size = min(max(round(share * count), 1), count - 1)
    step = count / sample_size
    positions = np.floor((np.arange(sample_size) + start) * step).astype(int)
    return np.minimum(positions, count - 1)  # rounding may reach one past the end


def _majority(patient: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the most frequent class of each patient; of equally frequent ones, the first."""
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.zeros((patient.max() + 1, len(classes)), int)
    np.add.at(counts, (patient, codes), 1)
    return counts.argmax(axis=1)


# ---- checks --------------------------------------------------------------------------------------


def _patients(patients: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct ids, and for each image the position of its id among them."""
    if patients is None:
        raise ValueError(
            "patients is missing: give each image the id of its patient, or an id of its own, "
            "np.arange(N), if patients are unknown."
        )
    return _pseudonyms.numbered(_checks.column("patients", patients))


def _labels(labels: ArrayLike, patient: np.ndarray) -> np.ndarray:
    labels = _checks.column("labels", labels)
    if labels.shape != patient.shape:
        raise ValueError(
            f"Each image needs its label and its patient: there are {len(patient)} patient ids, "
            f"but the labels have the shape {labels.shape}."
        )
    return labels


def _warn_of_missing_class(
    labels: np.ndarray, patient: np.ndarray, parts: list[np.ndarray]
) -> None:
    """Warn of the first class that one of the parts lacks: it cannot be learned or tested there."""
    for label in np.unique(labels):
        if all((labels[part] == label).any() for part in parts):
            continue
        count = len(np.unique(patient[labels == label]))
        warnings.warn(
            f"Class {label} has images of {count} patient{'s' * (count > 1)} only, too few for "
            "every part of this split to hold some: add patients of this class, or leave the class "
            "out.",
            stacklevel=3,
        )
        return


def _warn_of_one_class_folds(labels: np.ndarray, tests: list[np.ndarray]) -> None:
    """Warn of the first test part that holds one class only, unless there is no other class."""
    for number, test in enumerate(tests):
        label = labels[test[0]]
        if (labels[test] == label).all() and not (labels == label).all():
            warnings.warn(
                f"Fold {number} of {len(tests)} tests images of class {label} only: AUROC is "
                "undefined there, and other scores are too high; choose a smaller k, or score the "
                "predictions of all folds together.",
                stacklevel=3,
            )
            return
