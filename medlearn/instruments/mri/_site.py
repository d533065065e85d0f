"""A site: one scanner and one protocol. The six named sites, and random ones."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from medlearn import _checks, _files

SEQUENCES = ("T1w", "T1w-IR", "T2w", "PD", "FLAIR")
INVERTED = ("T1w-IR", "FLAIR")  # the sequences that begin with an inversion
HIGHEST_SEED = 2**31 - 1

#    field          lowest highest unit
_LIMITS = (
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


@dataclass(frozen=True)
class Site:
    """One scanner and protocol.

    Attributes
    ----------
    name : str
        At least one letter; noise and receive field depend on it.
    field_tesla : float
        Field strength, 1.5 to 3.
    sequence : {"T1w", "T1w-IR", "T2w", "PD", "FLAIR"}
        Spoiled gradient echo (T1w), inversion-prepared (T1w-IR, FLAIR) or spin echo (T2w, PD).
    tr_ms : float
        Repetition time, 1 to 20000 ms.
    te_ms : float
        Echo time, 0.1 to 1000 ms and at most ``tr_ms``.
    ti_ms : float
        Inversion time in ms, for T1w-IR and FLAIR: above 0, at most ``tr_ms - te_ms``.
    flip_deg : float
        Flip angle in degrees, 1 to 180, for T1w.
    noise : float
        Standard deviation of the complex noise relative to white matter's signal, 0 to 1, as in
        BrainWeb.
    bias : float
        Spread of the receive field over the head, 0 to 1.5, as in BrainWeb: 0.4 means that it
        runs from 0.8 to 1.2.
    matrix : int
        Number of k-space lines over the field of view of 220 mm, 16 to 1024.
    thickness_mm : float
        Slice thickness, 1 to 10 mm.

    Raises
    ------
    ValueError
        For a protocol that no scanner can run; the message names the allowed range.
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

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"A site needs a name of at least one letter, not {self.name!r}.")
        if self.sequence not in SEQUENCES:
            raise ValueError(
                f"Site {self.name!r}: {_files.unknown('sequence', self.sequence, SEQUENCES)}"
            )
        for field, low, high, unit in _LIMITS:
            self._check(field, low, high, unit)
        if self.matrix != int(self.matrix):
            raise ValueError(
                f"Site {self.name!r}: matrix must be a whole number from 16 to 1024, "
                f"not {self.matrix!r}."
            )
        self._check_times()

    def _check(self, field: str, low: float, high: float, hint: str) -> None:
        value = getattr(self, field)
        is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not low <= value <= high:
            raise ValueError(
                f"Site {self.name!r}: {field} must be from {low:g} to {high:g}{hint}, "
                f"not {value!r}."
            )

    def _check_times(self) -> None:
        """Echo and inversion must fit into one repetition."""
        tr = self.tr_ms
        self._check("te_ms", 0.1, tr, " (tr_ms, when the next excitation comes)")
        self._check("ti_ms", 0.0, tr, " (tr_ms, when the next excitation comes)")
        if self.sequence in INVERTED and not 0 < self.ti_ms <= tr - self.te_ms:
            raise ValueError(
                f"Site {self.name!r}: {self.sequence} needs ti_ms above 0 and at most "
                f"tr_ms - te_ms = {tr - self.te_ms:g}, not {self.ti_ms:g}."
            )


# FLAIR and T2w times lie inside the protocol ranges of the Parelsnoer study (Aalten et al. 2014,
# BMC Neurology 14:254: FLAIR TR 8-12 s, TE 100-150 ms, TI 2.2-2.8 s; T2w TR 2-4 s, TE 80-120 ms).
# The T1w and PD times, and all noise, bias, matrix and thickness values, are assumptions: an
# orderly 3 T scanner and a tired 1.5 T one.
#    name         tesla sequence  TR    TE   TI   flip noise bias matrix thickness
_PROTOCOLS = (
    ("3T-FLAIR", 3.0, "FLAIR", 9000, 110, 2500, 90, 0.04, 0.3, 112, 3),
    ("1.5T-FLAIR", 1.5, "FLAIR", 8500, 110, 2200, 90, 0.08, 0.6, 84, 5),
    ("3T-T1w", 3.0, "T1w-IR", 2300, 3, 950, 90, 0.025, 0.3, 124, 3),
    ("1.5T-T1w", 1.5, "T1w", 450, 12, 0, 70, 0.05, 0.6, 88, 5),
    ("3T-T2w", 3.0, "T2w", 4000, 95, 0, 90, 0.04, 0.3, 120, 3),
    ("PD", 1.5, "PD", 2400, 20, 0, 90, 0.03, 0.3, 112, 3),
)
SITES = {protocol[0]: Site(*protocol) for protocol in _PROTOCOLS}

# Lowest and highest times of random sites: assumption, wide around the named sites, chosen without
# looking at any real image.
_RANDOM_TIMES = {
    "T1w": {"tr_ms": (250, 700), "te_ms": (4, 18), "flip_deg": (50, 90)},
    "T1w-IR": {"tr_ms": (1900, 2500), "te_ms": (2, 5), "ti_ms": (800, 1150)},
    "T2w": {"tr_ms": (2500, 6000), "te_ms": (70, 130)},
    "PD": {"tr_ms": (1800, 4000), "te_ms": (10, 35)},
    "FLAIR": {"tr_ms": (8000, 11000), "te_ms": (80, 140), "ti_ms": (2100, 2700)},
}


def random_site(seed: int) -> Site:
    """Draw a site with random field, sequence, contrast, noise, bias, matrix and thickness.

    This is domain randomisation. The ranges are assumptions: wide around the named sites, chosen
    without looking at any real image.

    Parameters
    ----------
    seed : int
        0 to 2**31 - 1. The site is called ``"random-<seed>"``.

    Raises
    ------
    ValueError
        For another seed.

    Examples
    --------
    >>> from medlearn.instruments import mri
    >>> mri.random_site(7) == mri.random_site(7)
    True
    """
    rng = np.random.default_rng([_checks.whole_number("seed", seed, 0, HIGHEST_SEED), 71])
    field = float(rng.choice([1.5, 3.0]))
    sequence = str(rng.choice(SEQUENCES))
    return Site(
        f"random-{seed}",
        field,
        sequence,
        **_random_times(rng)[sequence],
        noise=round(float(rng.uniform(0.015, 0.09)), 4),
        bias=round(float(rng.uniform(0.1, 0.9)), 3),
        matrix=int(rng.integers(76, 129)),
        thickness_mm=float(rng.choice([3.0, 5.0])),
    )


def _random_times(rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Times of every sequence; the number of draws does not depend on the sequence."""
    times = {}
    for sequence, ranges in _RANDOM_TIMES.items():
        times[sequence] = {
            name: round(float(rng.uniform(low, high)), 1) for name, (low, high) in ranges.items()
        }
    return times


def find_site(site: Site | str) -> Site:
    """Return the site itself, or the one of `SITES` with that name; ValueError if there is none."""
    if isinstance(site, Site):
        return site
    if isinstance(site, str) and site in SITES:
        return SITES[site]
    raise ValueError(_files.unknown("site", site, [*SITES, "random"]))
