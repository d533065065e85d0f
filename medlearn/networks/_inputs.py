"""What goes into a network that draws masks or boxes, looked over once: each mistake gets one sentence."""

import numpy as np


def checked_images(images, model=None) -> np.ndarray:
    """Images (N, H, W, 3), 0 to 255 and of one size, as one array; with `model`, of the size that it takes.

    Images that were already divided by 255 look black to an encoder that scales them itself, and a network then answers
    in silence that nothing is there. Raises ValueError for several sizes, another shape or type, NaN, and another range.
    """
    shapes = {np.shape(image) for image in images} if isinstance(images, list | tuple) else ()
    if len(shapes) > 1:
        raise ValueError(
            f"The images have several sizes, such as {' and '.join(map(str, sorted(shapes)[:2]))}: crop or resize "
            "them to one (boxes.resize_with_padding does it with their boxes)."
        )
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
        raise ValueError(
            f"Images are (N, height, width, 3), at least one, not {images.shape}; repeat a grey channel three times."
        )
    wanted = getattr(model, "input_shape", None)
    if isinstance(wanted, tuple) and any(
        side not in (None, given) for side, given in zip(wanted[1:], images.shape[1:])
    ):
        raise ValueError(
            f"The images are {images.shape[1]} x {images.shape[2]} pixels, but {model.name} was built for "
            f"{wanted[1]} x {wanted[2]}: load the images, or the encoder, with that size."
        )
    _check_values(images)
    return images


def _check_values(images: np.ndarray) -> None:
    if images.dtype == np.uint8:
        return
    if images.dtype.kind not in "iuf":
        raise ValueError(
            f"Images of type {images.dtype} hold no grey values; give numbers from 0 to 255, such as uint8."
        )
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            "The images hold values that are not finite (NaN or infinite): mend or drop those."
        )
    if low < 0 or high > 255 or 0 < high <= 1:
        raise ValueError(
            f"The images run from {low:g} to {high:g}, but 0 to 255 is expected: give them as they are, without "
            "rescaling, which the encoder does itself."
        )
