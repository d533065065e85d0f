"""The five leukocyte classes in numbers."""

from dataclasses import dataclass, replace

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")

Range = tuple[float, float]


@dataclass(frozen=True)
class CellType:
    """One type of leukocyte on a dried film; a cell's values are drawn evenly from the ranges.

    Diameters lie inside the textbook ranges: neutrophil 10-15 um, lymphocyte 8-12 (large ones
    10-15), monocyte 12-20, eosinophil 10-17, basophil 8-14 (McGraw-Hill Histology; WHO Manual of
    basic techniques for a health laboratory, figures 9.95-9.97; ASH Image Bank 60933; Bain 2015,
    Blood Cells, 5th ed., ch. 3). Everything else is an assumption, set to agree with the words of
    the same books: condensed chromatin in granulocytes and small lymphocytes, open and lacy in
    monocytes; blue cytoplasm in lymphocytes, grey-blue in monocytes, pink in neutrophils and
    eosinophils; nuclei of eosinophils a little paler than neutrophils'.
    """

    diameter_um: Range
    nucleus_share: Range  # of the projected area of the cell
    chromatin: Range  # concentration of the nucleus
    clump_um: float  # size of the chromatin clumps
    clumping: float  # their contrast
    reticulum: float  # contrast of the pale channels between them
    azure: Range  # cytoplasm, concentration
    eosin: Range
    purple: Range  # azurophilic tint of the cytoplasm
    irregularity: float = 1.0  # these three multiply what the preparation does
    fray: float = 1.0
    softness: float = 1.0


_MONOCYTE = CellType(
    diameter_um=(12.4, 16.8),
    nucleus_share=(0.40, 0.58),
    chromatin=(0.62, 0.95),
    clump_um=0.50,
    clumping=0.18,
    reticulum=0.26,
    azure=(0.50, 0.95),
    eosin=(0.12, 0.42),
    purple=(0.02, 0.08),
    irregularity=1.6,
    fray=1.3,
    softness=0.7,
)

CELL_TYPES = {
    "neutrophil": CellType(
        diameter_um=(11.8, 14.6),
        nucleus_share=(0.28, 0.42),
        chromatin=(0.90, 1.20),
        clump_um=0.60,
        clumping=0.22,
        reticulum=0.20,
        azure=(0.08, 0.35),
        eosin=(0.45, 0.85),
        purple=(0.02, 0.08),
    ),
    "small lymphocyte": CellType(
        diameter_um=(8.0, 10.6),
        nucleus_share=(0.60, 0.85),
        chromatin=(0.92, 1.20),
        clump_um=0.90,
        clumping=0.16,
        reticulum=0.10,
        azure=(0.55, 1.25),
        eosin=(0.08, 0.35),
        purple=(0.02, 0.07),
        fray=0.7,
        softness=0.5,
    ),
    "large lymphocyte": CellType(
        diameter_um=(10.4, 13.2),
        nucleus_share=(0.42, 0.62),
        chromatin=(0.75, 1.00),
        clump_um=0.90,
        clumping=0.16,
        reticulum=0.12,
        azure=(0.40, 0.95),
        eosin=(0.08, 0.35),
        purple=(0.02, 0.07),
        fray=0.7,
        softness=0.5,
    ),
    "monocyte": _MONOCYTE,
    "small monocyte": replace(
        _MONOCYTE, diameter_um=(11.2, 13.0), nucleus_share=(0.42, 0.60), irregularity=1.3, fray=1.0
    ),
    "eosinophil": CellType(
        diameter_um=(12.4, 15.6),
        nucleus_share=(0.30, 0.44),
        chromatin=(0.82, 1.10),
        clump_um=0.65,
        clumping=0.18,
        reticulum=0.16,
        azure=(0.05, 0.25),
        eosin=(0.60, 1.20),
        purple=(0.00, 0.06),
        irregularity=0.9,
        fray=0.6,
        softness=0.6,
    ),
    "basophil": CellType(
        diameter_um=(10.4, 13.6),
        nucleus_share=(0.42, 0.58),
        chromatin=(0.55, 0.85),
        clump_um=0.65,
        clumping=0.15,
        reticulum=0.10,
        azure=(0.10, 0.45),
        eosin=(0.20, 0.50),
        purple=(0.05, 0.20),
        irregularity=0.9,
        fray=0.7,
        softness=0.7,
    ),
}

# The cell types of one class and how often they occur (assumption).
VARIANTS = {
    "neutrophil": (("neutrophil", 1.0),),
    "lymphocyte": (("small lymphocyte", 0.85), ("large lymphocyte", 0.15)),
    "monocyte": (("monocyte", 0.80), ("small monocyte", 0.20)),
    "eosinophil": (("eosinophil", 1.0),),
    "basophil": (("basophil", 1.0),),
}
