"""One step of training or of scoring, on every replica of a strategy.

It uses public calls of tf.distribute alone, so that it runs with many workers as well.
"""

from collections.abc import Callable

from medlearn._keras import keras, tf


def build_metrics(model: keras.Model, spec) -> None:
    """Make the variables of the metrics, which Keras would do inside the first step.

    In a graph of several replicas that is too late.

    Parameters
    ----------
    model : keras.Model
        Compiled; its weights and losses stay as they are.
    spec : structure of tf.TensorSpec
        The ``element_spec`` of the batches.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(spec)
    inputs = tf.nest.map_structure(lambda tensor: keras.KerasTensor(tensor.shape, tensor.dtype), x)
    predictions = tf.nest.map_structure(_zeros, model.compute_output_spec(inputs))
    x, y, weights = (tf.nest.map_structure(_zeros, part) for part in (x, y, weights))
    # Regularisers read their weights, which a stateless scope must be told.
    regularised = [
        (variable, tf.convert_to_tensor(variable.value))
        for variable in model.trainable_variables
        if variable.regularizer
    ]
    with keras.StatelessScope(regularised):
        model.compute_loss(x, y, predictions, weights)
        model.compute_metrics(x, y, predictions, weights)


def _zeros(spec):
    return None if spec is None else tf.zeros([side or 1 for side in spec.shape], spec.dtype)


def shared(dataset: "tf.data.Dataset", strategy: "tf.distribute.Strategy"):
    """Return the batches, each split among the replicas.

    Parameters
    ----------
    dataset : tf.data.Dataset
        Batches of all replicas together. Those with fewer examples than replicas are left out.
    strategy : tf.distribute.Strategy
        The strategy of the model.

    Returns
    -------
    tf.distribute.DistributedDataset
    """
    replicas = strategy.num_replicas_in_sync
    if replicas > 1:
        dataset = dataset.filter(lambda *batch: _example_count(batch) >= replicas)
        dataset = dataset.with_options(_sharding(dataset))
    return strategy.experimental_distribute_dataset(dataset)


def _sharding(dataset) -> "tf.data.Options":
    """Share by examples, unless the data set says otherwise; TensorFlow would share files first."""
    policies, options = tf.data.experimental.AutoShardPolicy, tf.data.Options()
    if dataset.options().experimental_distribute.auto_shard_policy == policies.AUTO:
        options.experimental_distribute.auto_shard_policy = policies.DATA
    return options


def compiled(step: Callable, model: keras.Model, dataset: "tf.data.Dataset") -> Callable:
    """Return a graph of one step on all replicas.

    Parameters
    ----------
    step : callable
        `train` or `score`.
    model : keras.Model
        Compiled, in the scope of its strategy.
    dataset : tf.data.Dataset
        Batches of the shapes that will come.

    Returns
    -------
    callable
        Called with a batch out of `shared`; returns the sum of the losses and the number of
        examples, over all replicas.
    """
    strategy = model.distribute_strategy

    # One graph for whole batches and the smaller last one: a second graph would round in another
    # way, and a run that goes on would differ from one that was never interrupted.
    @tf.function(input_signature=[shared(dataset, strategy).element_spec])
    def step_on_all(batch):
        losses, counts = strategy.run(step, args=(model, batch))
        return strategy.reduce("SUM", losses, axis=None), strategy.reduce("SUM", counts, axis=None)

    return step_on_all.get_concrete_function()


def train(model: keras.Model, batch: tuple) -> tuple:
    """Take one training step on one replica.

    Parameters
    ----------
    model : keras.Model
        Its weights, optimizer and metrics are changed.
    batch : tuple
        The share of this replica: (x, y) or (x, y, sample weights).

    Returns
    -------
    loss, count : tensors
        Sum of the losses of these examples, and their number.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    count = _examples(x)
    count_of_all = tf.distribute.get_replica_context().all_reduce("SUM", count)
    with tf.GradientTape() as tape:
        predictions = model(x, training=True)
        loss = _mean_loss(model, x, y, predictions, weights)
        share = tf.cast(count / count_of_all, loss.dtype)  # Keras adds the replicas' gradients up
        scaled = model.optimizer.scale_loss(loss * share)
    variables = model.trainable_weights
    model.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables))
    model.compute_metrics(x, y, predictions, weights)
    return tf.cast(loss, tf.float32) * count, count


def score(model: keras.Model, batch: tuple) -> tuple:
    """Score one batch on one replica; no weight changes.

    Parameters
    ----------
    model : keras.Model
        Its metrics are updated.
    batch : tuple
        The share of this replica: (x, y) or (x, y, sample weights).

    Returns
    -------
    loss, count : tensors
        Sum of the losses of these examples, and their number.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    count = _examples(x)
    predictions = model(x, training=False)
    loss = _mean_loss(model, x, y, predictions, weights, training=False)
    model.compute_metrics(x, y, predictions, weights)
    return tf.cast(loss, tf.float32) * count, count


def _mean_loss(model, x, y, predictions, weights, training=True):
    """The mean over the examples of this replica, of the losses of `compile` and `add_loss`.

    With several replicas, Keras divides some losses by their number: those that it averaged itself
    and those of `add_loss`, but not a loss of `compile` that is one number already. This division
    is taken back here, for `train` weights each replica by its number of examples.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    loss = model.compute_loss(x, y, predictions, weights, training=training)
    if replicas == 1:
        return loss
    if not _compiled_losses_are_means(model, y, predictions):
        return loss * replicas
    added = sum(tf.cast(tf.reduce_sum(value), loss.dtype) for value in model.losses)
    return loss + added * (1 - 1 / replicas)


def _compiled_losses_are_means(model, y, predictions) -> bool:
    """Whether the losses of `compile` give one number, and not one value per example."""
    losses = tf.nest.flatten(model.loss)
    outputs = zip(losses, tf.nest.flatten(y), tf.nest.flatten(predictions))
    answers = {_is_mean(*output) for output in outputs if output[0] is not None}
    if len(answers) > 1:
        raise ValueError(
            "Some losses of this model give one number and some one value per example; with "
            "several replicas all must give the same."
        )
    return answers == {True}


def _is_mean(loss, labels, predictions) -> bool:
    if not callable(loss):  # a name such as "mse": Keras' own losses give one value per example
        return False
    function = loss.call if isinstance(loss, keras.losses.Loss) else loss
    return function(labels, predictions).shape.rank == 0


def _example_count(batch):
    return tf.shape(tf.nest.flatten(batch)[0])[0]


def _examples(x):
    return tf.cast(_example_count(x), tf.float32)
