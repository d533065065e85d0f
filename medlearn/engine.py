"""Keras and TensorFlow under the name of version 0.1; today it is ``from medlearn import keras, tf``."""

from medlearn import _keras


def __getattr__(name: str):
    return getattr(_keras, name)
