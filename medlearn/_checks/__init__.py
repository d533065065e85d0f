"""One check of a kind for the whole package: all functions accept and refuse the same inputs.

Each check returns the input as a NumPy array, or raises a ValueError that says what was given, what
is expected and what to do next.
"""

from ._boxes import boxes as boxes
from ._features import feature_pair as feature_pair
from ._features import vectors as vectors
from ._images import images as images
from ._images import one_array as one_array
from ._labels import binary_labels as binary_labels
from ._labels import binary_labels_and_scores as binary_labels_and_scores
from ._labels import column as column
from ._labels import labels_and_predictions as labels_and_predictions
from ._labels import labels_and_probabilities as labels_and_probabilities
from ._labels import probabilities as probabilities
from ._labels import same_length as same_length
from ._masks import mask_pairs as mask_pairs
from ._masks import masks as masks
from ._masks import masks_and_predictions as masks_and_predictions
from ._numbers import Undefined as Undefined
from ._numbers import fraction as fraction
from ._numbers import level as level
from ._numbers import share as share
from ._numbers import whole_number as whole_number
