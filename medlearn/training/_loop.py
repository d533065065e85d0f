"""The loop: what Keras `fit` does, on public calls of tf.distribute alone, so that it runs with many workers as well."""

from collections.abc import Callable, Iterable
from pathlib import Path

from medlearn import _progress
from medlearn._keras import keras, tf
from medlearn.training._place import Place, check, is_chief, workers

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.FailedPreconditionError,
)
Data = "tf.data.Dataset | Callable[[int], tf.data.Dataset]"


def fit(
    model: keras.Model,
    data: Data,
    epochs: int = 1,
    *,
    validation: "tf.data.Dataset | None" = None,
    folder: str | Path | None = None,
    every: int | None = None,
) -> dict[str, list[float]]:
    """Train a compiled model; returns its history, name -> one number an epoch, as Keras `fit` does.

    data: batches (x, y) or (x, y, sample weights), the batch of all replicas together: a Dataset, or a function of the
    epoch, from 0, to one, such as `batches(...)`. validation: batches that are scored after each epoch, as val_...
    folder: where checkpoints go, at the end of each epoch and after `every` steps; all workers must see it. A run that
    finds one there goes on from it, to the bit: weights, optimizer, BatchNorm, dropout's seeds, metrics and the place
    in the data; for that, `data` must be a function.

    The model belongs to the strategy in whose scope it was built. Losses count each example once, however uneven the
    replicas' shares; a last batch with fewer examples than replicas is left out. Losses of a whole batch, such as
    `adaptation.layers.Align`, see each replica's share. Gradients are clipped by replica in Keras, so clipping with
    several replicas is refused, as are models with a `train_step` of their own.

    Raises ValueError for a model or arguments that this loop cannot train, or a checkpoint of another model, and
    RuntimeError if a worker went away.
    """
    check(model, data, epochs, folder, every)
    strategy = model.distribute_strategy
    first = data(0) if callable(data) else data
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)
        _build_metrics(model, first.element_spec)
    place = Place(model, folder, strategy)
    step = _function(strategy, _train, model, first)
    score = None if validation is None else _function(strategy, _score, model, validation)
    try:
        for epoch in range(place.restore(), epochs):
            dataset = data(epoch) if callable(data) else data
            _one_epoch(model, strategy, dataset, step, place, every)
            logs = place.logs(model)
            if score is not None:
                logs |= {
                    f"val_{name}": value
                    for name, value in _evaluate(model, strategy, validation, score).items()
                }
            place.end_of_epoch(logs)
    except _LOST as error:
        if not workers(strategy):
            raise
        raise RuntimeError(
            f"A worker went away in epoch {place.epoch}, after step {place.step} ({type(error).__name__}); start all "
            "workers again with the same command, and they go on from the last checkpoint."
        ) from None
    return place.history


def _one_epoch(model, strategy, dataset, step, place, every) -> None:
    """Train on what is left of the epoch."""
    if not place.step:
        model.reset_metrics()
    steps, chief = dataset.cardinality().numpy(), is_chief(strategy)
    bar = (
        _progress.bar(
            text=f"epoch {place.epoch + 1}", total=steps if steps > 0 else None, unit=" steps"
        )
        if chief
        else None
    )
    for batch in _shared(dataset.skip(place.step), strategy):
        loss, count = step(batch)
        place.add(loss, count)
        if every and place.step % every == 0:
            place.save()
        if bar is not None:
            bar.update(place.step - bar.n)
    if bar is not None:
        bar.close()


def _build_metrics(model, spec) -> None:
    """Keras makes the variables of metrics at the first batch; in a graph of several replicas that is too late."""
    x, y, weights = keras.utils.unpack_x_y_sample_weight(spec)
    told = model.compute_output_spec(
        tf.nest.map_structure(lambda each: keras.KerasTensor(each.shape, each.dtype), x)
    )
    x, y, told, weights = (tf.nest.map_structure(_zeros, each) for each in (x, y, told, weights))
    penalised = [
        (each, tf.convert_to_tensor(each.value))
        for each in model.trainable_variables
        if each.regularizer
    ]
    with keras.StatelessScope(penalised):
        model.compute_loss(x, y, told, weights)
        model.compute_metrics(x, y, told, weights)


def _zeros(spec):
    return None if spec is None else tf.zeros([side or 1 for side in spec.shape], spec.dtype)


def _evaluate(model, strategy, dataset, score) -> dict[str, float]:
    model.reset_metrics()
    sums = [tf.stack(score(batch)) for batch in _shared(dataset, strategy)]
    loss, count = tf.reduce_sum(tf.stack(sums), 0).numpy().tolist()
    told = {name: float(value) for name, value in model.get_metrics_result().items()}
    return told | {"loss": loss / count}


def _shared(dataset, strategy) -> Iterable:
    """Each batch, split among the replicas, none of which stays without an example."""
    replicas = strategy.num_replicas_in_sync
    if replicas > 1:
        dataset = dataset.filter(lambda *batch: tf.shape(tf.nest.flatten(batch)[0])[0] >= replicas)
        options = tf.data.Options()
        if (
            dataset.options().experimental_distribute.auto_shard_policy
            == tf.data.experimental.AutoShardPolicy.AUTO
        ):
            options.experimental_distribute.auto_shard_policy = (
                tf.data.experimental.AutoShardPolicy.DATA
            )
        dataset = dataset.with_options(options)
    return strategy.experimental_distribute_dataset(dataset)


def _function(strategy, of_replica: Callable, model, dataset) -> Callable:
    """A graph that runs on every replica and gives the sums over all of them: loss times examples, examples."""

    # One graph for whole batches and the last one: another graph would round otherwise, and a run that goes on would differ.
    @tf.function(input_signature=[_shared(dataset, strategy).element_spec])
    def on_all(batch):
        losses, counts = strategy.run(of_replica, args=(model, batch))
        return strategy.reduce("SUM", losses, axis=None), strategy.reduce("SUM", counts, axis=None)

    return on_all.get_concrete_function()


def _train(model, batch) -> tuple:
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    context, count = tf.distribute.get_replica_context(), _count(x)
    everybody = context.all_reduce("SUM", count)
    with tf.GradientTape() as tape:
        told = model(x, training=True)
        loss = _loss(model, x, y, told, weights)
        scaled = model.optimizer.scale_loss(
            loss * tf.cast(count / everybody, loss.dtype)
        )  # Keras sums over the replicas
    trained = model.trainable_weights
    model.optimizer.apply_gradients(zip(tape.gradient(scaled, trained), trained))
    model.compute_metrics(x, y, told, weights)
    return tf.cast(loss, tf.float32) * count, count


def _score(model, batch) -> tuple:
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    told, count = model(x, training=False), _count(x)
    loss = _loss(model, x, y, told, weights, training=False)
    model.compute_metrics(x, y, told, weights)
    return tf.cast(loss, tf.float32) * count, count


def _loss(model, x, y, told, weights, training=True):
    """The mean over this replica's examples, of all that `compile` and `add_loss` ask for."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    loss = model.compute_loss(x, y, told, weights, training=training)
    # Keras divides by the replicas what it averaged itself, and what came from add_loss; not a loss that is one number.
    if replicas == 1:
        return loss
    if not _one_number(model, y, told):
        return loss * replicas
    return loss + sum(tf.cast(tf.reduce_sum(each), loss.dtype) for each in model.losses) * (
        1 - 1 / replicas
    )


def _one_number(model, y, told) -> bool:
    """Whether the losses given to `compile` are averaged already, and not one value an example."""
    losses, truths, guesses = (tf.nest.flatten(each) for each in (model.loss, y, told))
    found = set()
    for loss, truth, guess in zip(losses, truths, guesses):
        if callable(loss):
            value = (
                loss.call(truth, guess)
                if isinstance(loss, keras.losses.Loss)
                else loss(truth, guess)
            )
            found.add(value.shape.rank == 0)
        elif loss is not None:
            found.add(False)
    if len(found) > 1:
        raise ValueError(
            "Some losses of this model give one number and some one value an example; with several replicas all "
            "must give the same."
        )
    return found == {True}


def _count(x):
    return tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)
