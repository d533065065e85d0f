"""One training loop for one machine, several devices or many machines; a killed run goes on.

For example:

    with training.strategy().scope():        # this machine, or the cluster that TF_CONFIG names
        model = build()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data = training.batches(images, labels, batch_size=64, seed=0)      # a function of the epoch
    history = training.fit(model, data, epochs=5, folder="run-1", every=50)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
