"""MONAI's networks in their own environment: patches and volumes in, probabilities out.

    python volumes_monai.py FOLDER

Called by ../volumes.py. FOLDER/inputs.npz: `patches` (N, Z, Y, X) and `masks`, `images` (volumes of
any sizes), `classes`, `network`, `seconds`, `seed`, `batch`, `rate`, `tile`. FOLDER/outputs.npz:
probabilities (Z, Y, X, classes) of each volume, `straight_0` and so on as it is, `mirrored_0` of
its mirror image, mirrored back; `steps`, `cpu_seconds`, `trainable`.
"""

import math
from pathlib import Path
import sys
import time

from monai.inferers import sliding_window_inference
from monai.losses import DiceCELoss
from monai.networks.nets import DynUNet, SegResNet
import numpy as np
import torch

FIRST = 2  # steps that are not counted, as of our own networks
WARM = 30  # steps in which the rate rises


def network(name: str, classes: int) -> torch.nn.Module:
    """Return one of MONAI's networks with random weights.

    Parameters
    ----------
    name : {"SegResNet", "DynUNet"}
        The first with all its defaults, the second three steps deep with an eighth of nnU-Net's
        channels at most.
    classes : int
        Number of classes.
    """
    if name == "SegResNet":
        return SegResNet(spatial_dims=3, in_channels=1, out_channels=classes)
    return DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=classes,
        kernel_size=[3, 3, 3, 3],
        strides=[1, 2, 2, 2],
        upsample_kernel_size=[2, 2, 2],
        filters=[8, 16, 32, 64],
    )


def scaled(volumes: np.ndarray) -> torch.Tensor:
    """Return volumes (N, Z, Y, X), 0 to 255, as (N, 1, Z, Y, X) on the scale of our own networks.

    Parameters
    ----------
    volumes : numpy.ndarray
        Grey values.
    """
    return torch.from_numpy(np.ascontiguousarray(volumes, np.float32))[:, None] / 64 - 2


def train(model: torch.nn.Module, inputs: dict) -> tuple[int, float]:
    """Train for so many CPU-seconds; the rate rises for some steps and falls with the seconds.

    Parameters
    ----------
    model : torch.nn.Module
        It is changed.
    inputs : dict
        What was handed over.

    Returns
    -------
    tuple
        Steps and counted CPU-seconds.
    """
    seconds, batch, rate = (float(inputs[name]) for name in ("seconds", "batch", "rate"))
    loss_of = DiceCELoss(softmax=True, to_onehot_y=True)
    adam = torch.optim.Adam(model.parameters(), lr=rate)
    random = np.random.default_rng(int(inputs["seed"]))
    steps, spent, rows = 0, 0.0, np.empty(0, int)
    while spent < seconds:
        start = time.process_time()
        if len(rows) < batch:
            rows = random.permutation(len(inputs["patches"]))
        chosen, rows = rows[: int(batch)], rows[int(batch) :]
        part = math.cos(math.pi / 2 * spent / seconds) ** 2
        adam.param_groups[0]["lr"] = rate * min(1, (steps + 1) / WARM) * (1e-3 + part)
        truth = torch.from_numpy(inputs["masks"][chosen].astype(np.int64))[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(scaled(inputs["patches"][chosen]))
        loss = loss_of(scores.float(), truth)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        steps += 1
        spent += time.process_time() - start if steps > FIRST else 0.0
    return steps, spent


def predict(model: torch.nn.Module, image: np.ndarray, tile: tuple[int, ...]) -> np.ndarray:
    """Return the probabilities of a volume, in overlapping tiles with Gaussian weights.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    image : numpy.ndarray, shape (Z, Y, X)
        The volume.
    tile : tuple of int
        Sides of a tile.

    Returns
    -------
    numpy.ndarray of float32, shape (Z, Y, X, classes)
    """
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        scores = sliding_window_inference(
            scaled(image[None]), tile, 1, model, overlap=0.25, mode="gaussian"
        )
    return torch.softmax(scores.float(), 1)[0].movedim(0, -1).numpy()


def main(folder: Path) -> None:
    """Train, predict and leave the results.

    Parameters
    ----------
    folder : Path
        Holds the inputs.
    """
    torch.set_num_threads(1)
    inputs = dict(np.load(folder / "inputs.npz"))
    torch.manual_seed(int(inputs["seed"]))
    model = network(str(inputs["network"]), int(inputs["classes"]))
    steps, spent = train(model, inputs)
    model.eval()
    tile = tuple(map(int, inputs["tile"]))
    count = sum(name.startswith("image_") for name in inputs)
    results = {}
    for number in range(count):
        image = inputs[f"image_{number}"]
        results[f"straight_{number}"] = predict(model, image, tile)
        results[f"mirrored_{number}"] = predict(model, image[:, :, ::-1], tile)[:, :, ::-1]
    trainable = sum(weights.numel() for weights in model.parameters())
    np.savez(folder / "outputs.npz", steps=steps, cpu_seconds=spent, trainable=trainable, **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
