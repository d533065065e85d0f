"""A user's own files: the same `Dataset` as every catalogue entry, and a table of problems instead of a stack trace."""

from medlearn.datasets.readers.boxes import from_boxes
from medlearn.datasets.readers.folders import from_folder
from medlearn.datasets.readers.masks import from_masks
from medlearn.datasets.readers.problems import Found
from medlearn.datasets.readers.tables import from_table

__all__ = ["Found", "from_boxes", "from_folder", "from_masks", "from_table"]
