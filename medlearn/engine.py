"""Keras and TensorFlow by the name of version 0.1; now it is ``from medlearn import keras, tf``."""

from medlearn import _keras


def __getattr__(name: str):
    return getattr(_keras, name)
