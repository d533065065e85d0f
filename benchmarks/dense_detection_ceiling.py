"""How many of a detector's false red cells are red cells that the truth has no box for?

    python benchmarks/dense_detection_ceiling.py [--only TEXT]   # adds the missing rows

A quarter of a CPU-minute for a row whose models dense_detection.py has kept, else six for each
model; fills results/dense_detection_ceiling.csv.

The table says what the 40 surest false red cells of one fine-tuned model are: near no true box at
all? found by a second model as well, the witness? stained as red cells are? The witness is the same
seed and another schedule, or another seed. Both learned from the same pictures, so it is no
independent one. `red_without` is the average precision of red cells if false alarms that are near
no box and that the witness is sure of count neither way: an estimate of what the same boxes would
score if the truth had no holes.
"""

from typing import NamedTuple

from common import table  # first: it sets the threads
from common import detectors
import numpy as np
from skimage.filters import threshold_otsu

from medlearn import metrics
from medlearn.metrics import boxes

KEY = ("data", "model", "witness")
ALARM_COLUMNS = ("alarms", "lowest_score", "no_box_near", "loosely_boxed", "witnessed", "stained")
COLUMNS = (*ALARM_COLUMNS, "red", "red_without", "map50", "map50_without")
RED, ALARMS = 0, 40
SURE = 0.3  # a score from which on the witness is sure
NEAR, LOOSE = 0.2, 0.5  # overlaps


class Alarm(NamedTuple):
    """A false red cell; alarms sort by score."""

    score: float
    overlap: float  # with the nearest true box
    witnessed: bool
    stained: bool


def _overlap(box: np.ndarray, other_boxes: np.ndarray) -> float:
    """Overlap with the nearest of the others."""
    return float(boxes.pairwise_iou([box], other_boxes).max(initial=0))


def _stained_share(image: np.ndarray, box: np.ndarray) -> float:
    """Share of a box that is darker in green than glass."""
    y0, x0, y1, x1 = box[:4].astype(int)
    green = image[y0 : y1 + 1, x0 : x1 + 1, 1]
    return float((green < threshold_otsu(image[..., 1])).mean())


def _usual_stain(images: np.ndarray, truth: list[np.ndarray]) -> float:
    """The stained share that 95 % of the true red cells exceed."""
    shares = []
    for image, true_boxes in zip(images, truth):
        red = true_boxes[true_boxes[:, 4] == RED]
        shares += [_stained_share(image, box) for box in red]
    return float(np.quantile(shares, 0.05))


def _predictions(model: str) -> list[np.ndarray]:
    """What a model such as "fine-tuned 0" (method and seed) finds in the test images."""
    method, seed = model.rsplit(" ", 1)
    return detectors.test_predictions(method, int(seed))


def _sure_red_cells(model: str) -> list[np.ndarray]:
    return [found_boxes[_is_sure(found_boxes)] for found_boxes in _predictions(model)]


def _is_sure(found_boxes: np.ndarray) -> np.ndarray:
    return (found_boxes[:, 4] == RED) & (found_boxes[:, 5] >= SURE)


def _alarms(
    image: np.ndarray,
    true_boxes: np.ndarray,
    predictions: np.ndarray,
    false: np.ndarray,
    witness_boxes: np.ndarray,
    usual_stain: float,
) -> list[Alarm]:
    """The false red cells of one image."""
    return [
        Alarm(
            score=box[5],
            overlap=_overlap(box, true_boxes),
            witnessed=_overlap(box, witness_boxes) >= LOOSE,
            stained=_stained_share(image, box) >= usual_stain,
        )
        for box in predictions[false]
    ]


def measure(data: str, model: str, witness: str) -> dict:
    """Return the results of one row.

    Parameters
    ----------
    data : str
        Always "bccd".
    model, witness : str
        Method and seed of two rows of dense_detection.csv, such as "fine-tuned 0".
    """
    images, truth = detectors.resized(detectors.part("test"))
    predictions, witness_boxes = _predictions(model), _sure_red_cells(witness)
    objects, matches = metrics.match_boxes(truth, predictions, detectors.CLASSES)
    usual_stain = _usual_stain(images, truth)
    alarms: list[Alarm] = []
    without = np.empty(len(predictions), object)  # the matches without excused alarms
    for number, (found_boxes, match) in enumerate(zip(predictions, matches)):
        false = (match[:, 2] == 0) & (found_boxes[:, 4] == RED)
        own = _alarms(
            images[number], truth[number], found_boxes, false, witness_boxes[number], usual_stain
        )
        excused = np.zeros(len(match), bool)
        excused[false] = [alarm.overlap < NEAR and alarm.witnessed for alarm in own]
        without[number] = match[~excused]
        alarms += own
    precision = metrics.average_precision_per_class(objects, matches)
    precision_without = metrics.average_precision_per_class(objects, without)
    return {
        **_counted(sorted(alarms, reverse=True)[:ALARMS]),
        "red": round(precision[RED], 4),
        "red_without": round(precision_without[RED], 4),
        "map50": round(precision.mean(), 4),
        "map50_without": round(precision_without.mean(), 4),
    }


def _counted(alarms: list[Alarm]) -> dict[str, float]:
    far_alarms = [alarm for alarm in alarms if alarm.overlap < NEAR]
    loose = [alarm for alarm in alarms if NEAR <= alarm.overlap < LOOSE]
    return {
        "alarms": len(alarms),
        "lowest_score": round(min(alarm.score for alarm in alarms), 2),
        "no_box_near": len(far_alarms),
        "loosely_boxed": len(loose),
        "witnessed": sum(alarm.witnessed for alarm in far_alarms),
        "stained": sum(alarm.stained for alarm in far_alarms),
    }


ROWS = [
    ("bccd", "fine-tuned 0", "fine-tuned, short 0"),
    ("bccd", "fine-tuned 1", "fine-tuned 0"),
    ("bccd", "fine-tuned 2", "fine-tuned 1"),
]

if __name__ == "__main__":
    table.grow("dense_detection_ceiling", __doc__, KEY, COLUMNS, ROWS, measure)
