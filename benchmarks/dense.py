"""Dense prediction on borrowed encoders: detection and segmentation, two tables, one command.

    python benchmarks/dense.py [--only TEXT] [--minutes 9]

Adds the missing rows to results/dense_segmentation.csv and results/dense_detection.csv; what a row is stands in the two
files of those names beside this one. `--minutes` is for each table.
"""

import table  # first: it sets the threads
import dense_detection
import dense_segmentation

if __name__ == "__main__":
    given = table.options(__doc__)
    for part in (dense_segmentation, dense_detection):
        table.grow(part.__name__, given, part.KEY, part.COLUMNS, part.ROWS, part.measure)
