"""Checks of the arguments of `fit`: each raises a ValueError that says what to change."""

from pathlib import Path

from medlearn import _checks, _files
from medlearn._keras import keras, tf

_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


def check(model, data, epochs, validation, folder, every) -> None:
    """Refuse what this loop cannot train.

    Parameters
    ----------
    model, data, epochs, validation, folder, every
        The arguments of `training.fit`.

    Raises
    ------
    ValueError
        For the first of them that does not fit.
    OSError
        If the folder cannot be made.
    """
    _check_model(model)
    _check_data(data, folder)
    _check_validation(validation)
    _checks.whole_number("epochs", epochs, 0)
    if every is not None:
        _checks.whole_number("every", every, 1)
        if folder is None:
            raise ValueError(
                f"every={every} is the number of steps between two checkpoints and needs a folder "
                "for them."
            )
    if folder is not None:  # now, and not after the first epoch
        _files.make_folder(Path(folder), "The folder for checkpoints")


def _check_model(model) -> None:
    if not isinstance(model, keras.Model) or not model.compiled or _optimizer(model) is None:
        raise ValueError(
            "fit needs a model that is compiled, with an optimizer and a loss: model.compile(...)."
        )
    if not model.built:
        raise ValueError(
            f"{model.name} has no weights yet; give it an Input, or call it once, before fit."
        )
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            f"{type(model).__name__} has a train_step of its own, which this loop would not call; "
            "use Keras `fit`, or put its losses into layers by add_loss."
        )
    clipping = [name for name in _CLIPPING if getattr(_optimizer(model), name, None)]
    if clipping and model.distribute_strategy.num_replicas_in_sync > 1:
        raise ValueError(
            f"{clipping[0]} would clip each replica's gradient before they are added up, so the "
            "result would depend on their number; leave it out, or train with one."
        )


def _optimizer(model):
    """The optimizer of a compiled model, without a wrapper that scales the loss."""
    optimizer = getattr(model, "optimizer", None)
    return getattr(optimizer, "inner_optimizer", optimizer)


def _check_data(data, folder) -> None:
    if not isinstance(data, tf.data.Dataset) and not callable(data):
        raise ValueError(
            f"data is {type(data).__name__}; expected a tf.data.Dataset of batches or a function "
            "of the epoch to one, such as training.batches(images, labels)."
        )
    if folder is not None and not callable(data):
        raise ValueError(
            "With a folder, data must be a function of the epoch, so that a run can go on within "
            "one: training.batches(...) makes such a function."
        )


def _check_validation(validation) -> None:
    if validation is None:
        return
    if not isinstance(validation, tf.data.Dataset):
        raise ValueError(
            f"validation is {type(validation).__name__}; expected a tf.data.Dataset of batches, "
            "such as training.batches(images, labels)(0)."
        )
    if validation.cardinality() == 0:
        raise ValueError("validation holds no batch; give it at least one image, or leave it out.")
