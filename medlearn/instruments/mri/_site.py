"""A site: one scanner and one protocol. The six named sites, and random ones."""

import math
from dataclasses import dataclass

import numpy as np

SEQUENCES = ("T1w", "T1w-IR", "T2w", "PD", "FLAIR")
INVERTED = ("T1w-IR", "FLAIR")


@dataclass(frozen=True)
class Site:
    """One scanner and protocol.

    `field_tesla` 1.5 to 3; `sequence` one of "T1w" (spoiled gradient echo), "T1w-IR" (inversion-prepared), "T2w", "PD"
    (spin echoes) or "FLAIR"; `tr_ms`, `te_ms`, and `ti_ms` (used by T1w-IR and FLAIR) in milliseconds; `flip_deg` (used
    by T1w). As in BrainWeb, `noise` is the standard deviation of the complex noise relative to white matter's signal,
    and `bias` = 0.4 means that the receive field runs from 0.8 to 1.2 over the head. `matrix` is the number of k-space
    lines over the field of view of 220 mm, `thickness_mm` the slice thickness.
    Raises ValueError, naming the allowed range, for a protocol that no scanner can run.
    """

    name: str
    field_tesla: float
    sequence: str
    tr_ms: float
    te_ms: float
    ti_ms: float = 0.0
    flip_deg: float = 90.0
    noise: float = 0.03
    bias: float = 0.3
    matrix: int = 128
    thickness_mm: float = 3.0

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"A site needs a name of at least one letter, not {self.name!r}.")
        if self.sequence not in SEQUENCES:
            raise ValueError(
                f"Site {self.name!r}: unknown sequence {self.sequence!r}; choose one of {SEQUENCES}."
            )
        for field, low, high, unit in _RANGES:
            value = getattr(self, field)
            if not _is_number(value) or not low <= value <= high:
                raise ValueError(
                    f"Site {self.name!r}: {field} must be from {low:g} to {high:g}{unit}, not {value!r}."
                )
        if self.matrix != int(self.matrix):
            raise ValueError(
                f"Site {self.name!r}: matrix must be a whole number from 16 to 1024, not {self.matrix!r}."
            )
        if self.te_ms > self.tr_ms:
            raise ValueError(
                f"Site {self.name!r}: te_ms must be from 0.1 to tr_ms = {self.tr_ms:g}, "
                f"not {self.te_ms:g}: the echo comes before the next excitation."
            )
        if self.ti_ms > self.tr_ms:
            raise ValueError(
                f"Site {self.name!r}: ti_ms must be from 0 to tr_ms = {self.tr_ms:g}, not {self.ti_ms:g}: "
                "the inversion belongs to one repetition."
            )
        if self.sequence in INVERTED and not 0 < self.ti_ms <= self.tr_ms - self.te_ms:
            raise ValueError(
                f"Site {self.name!r}: {self.sequence} needs ti_ms above 0 and at most tr_ms - te_ms = "
                f"{self.tr_ms - self.te_ms:g}, not {self.ti_ms:g}."
            )


#          field          lowest highest unit
_RANGES = (
    ("field_tesla", 1.5, 3.0, " tesla"),
    ("tr_ms", 1.0, 20000.0, " ms"),
    ("te_ms", 0.1, 1000.0, " ms"),
    ("ti_ms", 0.0, 10000.0, " ms"),
    ("flip_deg", 1.0, 180.0, " degrees"),
    ("noise", 0.0, 1.0, " of white matter's signal"),
    ("bias", 0.0, 1.5, " (spread of the receive field)"),
    ("matrix", 16, 1024, " k-space lines"),
    ("thickness_mm", 1.0, 10.0, " mm"),
)


def whole(name: str, value, low: int, high: int) -> int:
    """A whole number within a range, or ValueError with the range."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer))
        or not low <= value <= high
    ):
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return int(value)


def _is_number(value) -> bool:
    return (
        isinstance(value, (int, float, np.number))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


# FLAIR and T2w times lie inside the protocol ranges of the Parelsnoer study (Aalten et al. 2014, BMC Neurology 14:254:
# FLAIR TR 8-12 s, TE 100-150 ms, TI 2.2-2.8 s; T2w TR 2-4 s, TE 80-120 ms). The T1w and PD times, and all noise, bias,
# matrix and thickness values, are assumptions: an orderly 3 T scanner and a tired 1.5 T one.
SITES = {
    site.name: site
    for site in (
        Site(
            "3T-FLAIR",
            3.0,
            "FLAIR",
            9000,
            110,
            ti_ms=2500,
            noise=0.04,
            bias=0.3,
            matrix=112,
            thickness_mm=3,
        ),
        Site(
            "1.5T-FLAIR",
            1.5,
            "FLAIR",
            8500,
            110,
            ti_ms=2200,
            noise=0.08,
            bias=0.6,
            matrix=84,
            thickness_mm=5,
        ),
        Site(
            "3T-T1w",
            3.0,
            "T1w-IR",
            2300,
            3,
            ti_ms=950,
            noise=0.025,
            bias=0.3,
            matrix=124,
            thickness_mm=3,
        ),
        Site(
            "1.5T-T1w",
            1.5,
            "T1w",
            450,
            12,
            flip_deg=70,
            noise=0.05,
            bias=0.6,
            matrix=88,
            thickness_mm=5,
        ),
        Site("3T-T2w", 3.0, "T2w", 4000, 95, noise=0.04, bias=0.3, matrix=120, thickness_mm=3),
        Site("PD", 1.5, "PD", 2400, 20, noise=0.03, bias=0.3, matrix=112, thickness_mm=3),
    )
}


def random_site(seed: int) -> Site:
    """A site with random field, sequence, contrast, noise, bias, matrix and thickness: domain randomisation.

    The ranges are assumptions: wide around the named sites, chosen without looking at any real image. The name is
    "random-" and the seed. Raises ValueError for a seed that is not a whole number from 0 to 2**31 - 1.
    """
    rng = np.random.default_rng([whole("seed", seed, 0, 2**31 - 1), 71])
    field = float(rng.choice([1.5, 3.0]))
    sequence = str(rng.choice(SEQUENCES))
    times = {
        "T1w": {
            "tr_ms": rng.uniform(250, 700),
            "te_ms": rng.uniform(4, 18),
            "flip_deg": rng.uniform(50, 90),
        },
        "T1w-IR": {
            "tr_ms": rng.uniform(1900, 2500),
            "te_ms": rng.uniform(2, 5),
            "ti_ms": rng.uniform(800, 1150),
        },
        "T2w": {"tr_ms": rng.uniform(2500, 6000), "te_ms": rng.uniform(70, 130)},
        "PD": {"tr_ms": rng.uniform(1800, 4000), "te_ms": rng.uniform(10, 35)},
        "FLAIR": {
            "tr_ms": rng.uniform(8000, 11000),
            "te_ms": rng.uniform(80, 140),
            "ti_ms": rng.uniform(2100, 2700),
        },
    }[sequence]
    return Site(
        f"random-{seed}",
        field,
        sequence,
        **{key: round(float(value), 1) for key, value in times.items()},
        noise=round(float(rng.uniform(0.015, 0.09)), 4),
        bias=round(float(rng.uniform(0.1, 0.9)), 3),
        matrix=int(rng.integers(76, 129)),
        thickness_mm=float(rng.choice([3.0, 5.0])),
    )
