"""What is normal: the range of each measure on good images."""

from collections.abc import Mapping

import numpy as np


def normal_range(
    measured: Mapping[str, np.ndarray], outside: float = 0.02
) -> dict[str, tuple[float, float]]:
    """Find the range of each measure on good images.

    Parameters
    ----------
    measured : mapping of str to array_like, shape (N,)
        What `measure` returns for at least 20 good images, such as those of training.
    outside : float
        Share of these images that lies out of the range, above 0 and below 1, half on each side.

    Returns
    -------
    dict of str to (low, high)
        For `out_of_range`.

    Raises
    ------
    ValueError
        For a share out of range and for fewer than 20 images.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn.curation import quality
    >>> quality.normal_range({"sharpness": np.arange(101)}, outside=0.1)
    {'sharpness': (5.0, 95.0)}
    """
    if not 0 < outside < 1:
        raise ValueError(
            f"outside={outside!r} is the share of good images that may be out of range, above 0 "
            "and below 1; try 0.02."
        )
    count = min(map(len, measured.values()), default=0)
    if count < 20:
        raise ValueError(f"{count} images do not show what is normal; give at least 20 good ones.")
    shares = [outside / 2, 1 - outside / 2]
    return {name: tuple(np.quantile(values, shares).tolist()) for name, values in measured.items()}


def out_of_range(
    measured: Mapping[str, np.ndarray], normal: Mapping[str, tuple[float, float]]
) -> dict[str, np.ndarray]:
    """Say which images are out of their normal range.

    Parameters
    ----------
    measured : mapping of str to array_like, shape (N,)
        What `measure` returns for the images to check.
    normal : mapping of str to (low, high)
        What `normal_range` returns for good images.

    Returns
    -------
    dict of str to numpy.ndarray of bool, shape (N,)
        For each measure, the images below its range or above it.

    Raises
    ------
    ValueError
        For a measure without a range.

    Examples
    --------
    >>> import numpy as np
    >>> from medlearn.curation import quality
    >>> alarms = quality.out_of_range({"density": np.array([0.1, 0.9])}, {"density": (0.0, 0.5)})
    >>> alarms["density"].tolist()
    [False, True]
    """
    missing = [name for name in measured if name not in normal]
    if missing:
        raise ValueError(
            f"There is no range for {', '.join(missing)}; take quality.normal_range of the same "
            "measures."
        )
    alarms = {}
    for name, values in measured.items():
        low, high = normal[name]
        alarms[name] = (np.asarray(values) < low) | (np.asarray(values) > high)
    return alarms
