"""The training loop: what Keras `fit` does, and checkpoints, for one device or many workers."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from medlearn import _progress
from medlearn._keras import keras, tf
from medlearn.training import _arguments, _cluster, _setting, _steps
from medlearn.training._run_state import RunState

# What TensorFlow says of a sparse label; NaN has become the smallest integer by then.
_LABEL_OUTSIDE = re.compile(
    r"label value of (-?\d+) which is outside the valid range of (\S+ \S+\))"
)
_WORKER_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.FailedPreconditionError,
)


def fit(
    model: keras.Model,
    data: "tf.data.Dataset | Callable[[int], tf.data.Dataset]",
    epochs: int = 1,
    *,
    validation: "tf.data.Dataset | None" = None,
    folder: str | Path | None = None,
    every: int | None = None,
) -> dict[str, list[float]]:
    """Train a compiled model; with a folder, go on where an earlier run ended or was killed.

    The model belongs to the strategy in whose scope it was built. Losses count each example once,
    however unevenly the replicas share a batch; a last batch with fewer examples than replicas is
    left out. A loss of a whole batch, such as that of `adaptation.layers.AlignmentLoss`, sees the
    share of each replica.

    Parameters
    ----------
    model : keras.Model
        Compiled. Its weights, optimizer and metrics are changed.
    data : tf.data.Dataset or callable
        Batches (x, y) or (x, y, sample weights) of all replicas together, or a function from the
        epoch, counted from 0, to them, such as `batches(images, labels)` returns.
    epochs : int
        Epochs of the whole run, with those that an earlier run did.
    validation : tf.data.Dataset, optional
        Batches that are scored after each epoch.
    folder : str or Path, optional
        Where checkpoints go, after each epoch; all workers must see it, and one training at a time
        may use it. A run that finds one there goes on from it, to the bit: weights, optimizer,
        BatchNorm, the seeds of dropout, metrics and the next batch. For that, `data` must be a
        function, and network, loss, optimizer and data must be those of before. Of `batches` its
        images and labels (all of them up to 1 GB, entries evenly spaced above), batch size, seed
        and `augment` are compared; of another function only the number and the shapes of its
        batches. A function, such as a loss or `augment`, is compared by its name and by the numbers
        bound to it, which therefore must not count anything. If the newest checkpoint is damaged,
        the one before it is taken, with a warning.
    every : int, optional
        Steps after which a checkpoint is written within an epoch.

    Returns
    -------
    dict of str to list of float
        For the loss and each metric one number per epoch, as Keras `fit` has in its history; of
        the validation batches as ``"val_..."``.

    Raises
    ------
    ValueError
        If this loop cannot train the model: it is not compiled, has a ``train_step`` of its own,
        or clips gradients with several replicas; for other arguments that do not fit, a checkpoint
        of another model or another setting, checkpoints of which none can be read, labels or
        images that a step refuses, and a loss or weights that are not finite any more.
    OSError
        If a checkpoint cannot be written, as on a full disk, or another training is at work in the
        folder.
    RuntimeError
        If a worker was lost.
    """
    _arguments.check(model, data, epochs, validation, folder, every)
    strategy = model.distribute_strategy
    train = _training_step(model, data)
    score = None if validation is None else _steps.compiled(_steps.score, model, validation)
    setting = None if folder is None else _setting.of(model, data)
    state = RunState(model, folder, strategy, setting)
    try:
        with state.alone():
            for epoch in range(state.restore(), epochs):
                _train_epoch(model, _of_epoch(data, epoch), train, state, every)
                logs = state.logs()
                if score is not None:
                    logs |= _evaluate(model, validation, score)
                state.end_epoch(logs)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(_refused(error)) from error
    except _WORKER_LOST as error:
        if not _cluster.worker_count(strategy):
            raise
        raise RuntimeError(
            f"A worker went away in epoch {state.epoch}, after step {state.step} "
            f"({type(error).__name__}); start all workers again with the same command, and they "
            "go on from the last checkpoint."
        ) from None
    return state.history


def _refused(error: Exception) -> str:
    """The sentence for a batch that TensorFlow refuses, with what it says about labels."""
    label = _LABEL_OUTSIDE.search(str(error))
    if label:
        value = "NaN" if label[1] == str(np.iinfo(np.int64).min) else label[1]
        return (
            f"A label is {value}, and the network's outputs stand for the labels in {label[2]}: "
            "number the classes from 0, leave out images without a label, or give the network one "
            "output per class."
        )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"A batch cannot be used; look at its images and labels: {lines[-1]}"


def _of_epoch(data, epoch: int) -> "tf.data.Dataset":
    return data(epoch) if callable(data) else data


def _training_step(model, data) -> Callable:
    """Make all variables in the scope of the strategy, then the graph of a step."""
    dataset = _of_epoch(data, 0)
    with model.distribute_strategy.scope():
        model.optimizer.build(model.trainable_variables)
        _steps.build_metrics(model, dataset.element_spec)
    return _steps.compiled(_steps.train, model, dataset)


def _train_epoch(model, dataset, train, state: RunState, every) -> None:
    """Train on the batches of the epoch that are left."""
    if state.step == 0:
        model.reset_metrics()
    strategy = model.distribute_strategy
    with _bar(dataset, state, strategy) as bar:
        for batch in _steps.shared(dataset.skip(state.step), strategy):
            state.add_step(*train(batch))
            if every and state.step % every == 0:
                state.save()
            bar.update(state.step - bar.n)


def _bar(dataset, state: RunState, strategy):
    steps = dataset.cardinality().numpy()
    return _progress.bar(
        text=f"epoch {state.epoch + 1}",
        total=steps if steps > 0 else None,
        unit=" steps",
        silent=not _cluster.is_chief(strategy),
    )


def _evaluate(model, dataset, score) -> dict[str, float]:
    """Loss and metrics over validation batches, as ``val_...``."""
    model.reset_metrics()
    batches = _steps.shared(dataset, model.distribute_strategy)
    sums = [tf.stack(score(batch)) for batch in batches]
    if not sums:
        raise ValueError(
            "validation holds no batch, or none with an example for each replica; give it more "
            "images, or leave it out."
        )
    loss, count = tf.reduce_sum(tf.stack(sums), 0).numpy().tolist()
    logs = {f"val_{name}": float(value) for name, value in model.get_metrics_result().items()}
    return logs | {"val_loss": loss / count}
