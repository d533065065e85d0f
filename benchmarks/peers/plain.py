"""Keras' `predict` where TensorFlow chose its kernels by itself, as for someone without medlearn; called by ../features_speed.py.

python plain.py images.npy THREADS FOLDER
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
answering.answer(
    {
        "predict, TensorFlow's own kernels, 32": lambda: pooled.predict(
            images, batch_size=32, verbose=0
        )
    },
    sys.argv[3],
    "",
)
