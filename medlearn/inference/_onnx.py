"""A predictor's model for other programs, in the ONNX format."""

from pathlib import Path

import numpy as np

from medlearn import _files
from medlearn.inference._bundle import Predictor

MISSING = (
    'Exporting to ONNX needs the package tf2onnx: install it with `pip install "medlearn[onnx]"`.'
)


def export_onnx(predictor: Predictor, path: str | Path) -> Path:
    """Write the model as an ONNX file and return its path.

    Temperature, threshold and classes are not part of the file.

    Parameters
    ----------
    predictor : Predictor
        Of any task.
    path : path
        The file to write, usually ending in ``.onnx``.

    Raises
    ------
    ImportError
        If tf2onnx is not installed.
    """
    try:
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(MISSING) from error
    path = Path(path)
    model = predictor.model
    model(np.zeros((1, *predictor.size, 3), np.float32), training=False)  # Keras exports what ran
    _files.write_atomically(path, lambda draft: _export(model, draft))
    return path


def _export(model, draft: Path) -> None:
    model.export(str(draft), format="onnx", verbose=False)
