"""A user's own files: the same `Dataset` as every catalogue entry, and a table of problems instead of a stack trace."""

from medlearn.datasets.readers._boxes import from_boxes
from medlearn.datasets.readers._folders import from_folder
from medlearn.datasets.readers._masks import from_masks
from medlearn.datasets.readers._problems import ReadResult
from medlearn.datasets.readers._tables import from_table

__all__ = ["ReadResult", "from_boxes", "from_folder", "from_masks", "from_table"]
