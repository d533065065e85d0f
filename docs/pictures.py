"""Draw the README's picture anew: `python docs/pictures.py` (simulated images only)."""

import io
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from PIL import Image

from medlearn.instruments import mri, smear

HERE = Path(__file__).parent
KINDS = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SITES = ("3T-T1w", "3T-T2w", "3T-FLAIR", "1.5T-FLAIR", "PD")


def first_look():
    """The same five cells at two laboratories, and the same slice of one head at five scanners."""
    slice_ = mri.prepare("tumour", seed=3, size=160)
    rows = {
        "laboratory A": [smear.one_cell("lab-a", kind, seed=11, patient=9).images[0] for kind in KINDS],
        "laboratory B": [smear.one_cell("lab-b", kind, seed=11, patient=9).images[0] for kind in KINDS],
        "one head,\nfive scanners": [mri.scan(slice_, site) for site in SITES],
    }
    figure, axes = plt.subplots(3, 5, figsize=(8, 5.0))
    for row, (name, pictures) in zip(axes, rows.items()):
        row[0].set_ylabel(name)
        for ax, picture, title in zip(row, pictures, SITES if "head" in name else KINDS if name.endswith("A") else [""] * 5):
            ax.imshow(picture)
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, loc="center")
            ax.spines[:].set_visible(False)
    return figure


if __name__ == "__main__":
    with matplotlib.rc_context(fname=HERE.parent / "notebooks" / "matplotlibrc"):
        (HERE / "pictures").mkdir(exist_ok=True)
        drawn = io.BytesIO()
        first_look().savefig(drawn, dpi=110)
    Image.open(drawn).convert("RGB").quantize(256).save(HERE / "pictures" / "first_look.png", optimize=True)
