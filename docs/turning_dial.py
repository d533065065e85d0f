"""Draw the README's moving picture anew: one dial of the microscope turns, the cells stay.

python docs/turning_dial.py
"""

from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from medlearn.instruments import smear

TO = Path(__file__).parent / "pictures" / "turning_dial.webp"
CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SIDE, MARGIN, DIAL = 150, 6, 56  # pixels
STEPS = 12  # from laboratory A to laboratory B
MILLISECONDS, PAUSE = 110, 1200  # of each picture, and of the two at the ends
BACKGROUND, INK, KNOB = "white", "#222222", "#0173b2"


def frame(severity: float) -> Image.Image:
    """Return five cells on the way from laboratory A (0) to laboratory B (1), and the dial."""
    laboratory = smear.mix("lab-a", "lab-b", severity)
    width = len(CLASSES) * (SIDE + MARGIN) + MARGIN
    picture = Image.new("RGB", (width, SIDE + 2 * MARGIN + DIAL), BACKGROUND)
    for column, name in enumerate(CLASSES):
        pixels = smear.one_cell(laboratory, name, seed=11, patient=9).images[0]
        cell = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture.paste(cell, (MARGIN + column * (SIDE + MARGIN), MARGIN))
    _draw_dial(ImageDraw.Draw(picture), severity, width, SIDE + 2 * MARGIN)
    return picture


def _draw_dial(draw: ImageDraw.ImageDraw, severity: float, width: int, top: int) -> None:
    """A slider between the names of the two laboratories."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 18)
    middle = top + DIAL // 2
    draw.text((MARGIN, middle), "laboratory A", INK, font, anchor="lm")
    draw.text((width - MARGIN, middle), "laboratory B", INK, font, anchor="rm")
    left, right = 150, width - 150
    knob = left + severity * (right - left)
    draw.line([(left, middle), (right, middle)], INK, 3)
    draw.ellipse([knob - 11, middle - 11, knob + 11, middle + 11], KNOB)


def main() -> None:
    """Write the picture, which goes there and back for ever."""
    there = [frame(severity) for severity in np.linspace(0, 1, STEPS + 1)]
    frames = there + there[-2:0:-1]
    pauses = [PAUSE if index in (0, STEPS) else MILLISECONDS for index in range(len(frames))]
    options = {"save_all": True, "append_images": frames[1:], "duration": pauses, "loop": 0}
    frames[0].save(TO, quality=72, method=6, **options)


if __name__ == "__main__":
    main()
