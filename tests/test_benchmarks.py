"""What the benchmarks must keep apart. They run in a process of their own, because they hold TensorFlow to one thread."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

STAGED_ROWS = """
import numpy as np, transfer
transfer.classes = lambda data: 5                      # no images are needed here
pretrained = transfer.upper().get_weights()
first = transfer.ready(transfer.staged_model, "smear", "5", 25)
for weight in first.trainable_weights:
    weight.assign(weight + 1.0)                        # as a fit would
second = transfer.ready(transfer.staged_model, "smear", "20", 100)
for model in (transfer.upper(), second.layers[1]):
    for now, was in zip(model.get_weights(), pretrained):
        np.testing.assert_array_equal(now, was)
"""


def test_a_fine_tuned_row_leaves_the_pretrained_weights_to_the_next():
    ran = subprocess.run([sys.executable, "-c", STAGED_ROWS], cwd=BENCHMARKS, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
