"""Keras' `predict` with TensorFlow's own kernels, as for someone without medlearn.

    python plain.py images.npy THREADS FOLDER

Called by ../features_speed.py.
"""

import sys

import tensorflow as tf  # before medlearn, so that its settings come too late

tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[2]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[2]))
tf.constant(1) + 1

import answering
import keras
import numpy as np

from medlearn import backbones

encoder = backbones.load("efficientnet_lite0")
pooled = keras.Model(encoder.input, keras.layers.GlobalAveragePooling2D()(encoder.output))
images = np.load(sys.argv[1])


def predict():
    return pooled.predict(images, batch_size=32, verbose=0)


answering.answer({"predict, TensorFlow's own kernels, 32": predict}, sys.argv[3], "")
