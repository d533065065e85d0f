"""Pooled vectors of DINOv2 ViT-S/14 by ONNX Runtime, in an environment of its own.

    python transformer.py images.npy THREADS FOLDER

Called by ../features_speed.py. images: uint8 (N, H, W, 3). FOLDER holds network.onnx, the published
file; it is cut after its last norm, preprocessing is put before it and the mean of the patches
behind it, so that it takes the bytes as they are. FOLDER gets vectors.npz; see answering.py.
"""

from functools import partial
from pathlib import Path
import sys

import answering
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

BATCH_SIZES = (8, 32)
LAST_NORM = "/backbone/layernorm/Add_1_output_0"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pooled(path: Path) -> onnx.ModelProto:
    """Return the network from bytes to the mean of its patches.

    Parameters
    ----------
    path : Path
        The published file.
    """
    model = onnx.load(path)
    graph = model.graph
    last = next(i for i, node in enumerate(graph.node) if LAST_NORM in node.output)
    nodes = [*_before(graph.input[0].name), *graph.node[: last + 1], *_behind()]
    constants = {
        "mean_255": 255 * np.array(MEAN, np.float32),
        "deviation_255": 255 * np.array(DEVIATION, np.float32),
        "first": np.array([1]),
        "end": np.array([2**31]),
        "axis": np.array([1]),
    }
    arrays = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    cut = helper.make_graph(
        nodes,
        "pooled",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", None])],
        [*graph.initializer, *arrays],
    )
    opset = [helper.make_opsetid("", model.opset_import[0].version)]
    return helper.make_model(cut, opset_imports=opset, ir_version=model.ir_version)


def _before(name: str) -> list[onnx.NodeProto]:
    """From bytes, channels last, to the input of the published network."""
    return [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["floats", "mean_255"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation_255"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], [name], perm=[0, 3, 1, 2]),
    ]


def _behind() -> list[onnx.NodeProto]:
    """From tokens to the mean of all but the first."""
    return [
        helper.make_node("Slice", [LAST_NORM, "first", "end", "axis"], ["patches"]),
        helper.make_node("ReduceMean", ["patches"], ["vectors"], axes=[1], keepdims=0),
    ]


def vectors(
    session: onnxruntime.InferenceSession, images: np.ndarray, batch_size: int
) -> np.ndarray:
    """Return the vectors of all images.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The network.
    images : uint8 array of shape (N, H, W, 3)
        The images.
    batch_size : int
        Images in a batch.
    """
    starts = range(0, len(images), batch_size)
    batches = [images[start : start + batch_size] for start in starts]
    return np.concatenate([session.run(None, {"images": batch})[0] for batch in batches])


def main(images: str, threads: int, folder: str) -> None:
    """Answer on the standard output.

    Parameters
    ----------
    images, threads, folder
        The command line.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    content = pooled(Path(folder, "network.onnx")).SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    works = {
        f"ONNX Runtime, {size}": partial(vectors, session, np.load(images), size)
        for size in BATCH_SIZES
    }
    answering.answer(works, folder, f"onnxruntime {onnxruntime.__version__}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
