"""From tissue to signal: relaxation times with their sources, and the three signal equations.

Where each number comes from (times in ms, proton density PD relative to water):

- T1 of grey and white matter: Wright et al. 2008 (MAGMA 21:121), MPRAGE, the same four subjects at
  1.5 T and 3 T: white 646 and 838, grey 1197 and 1607. Wansapura et al. 1999 report a shorter grey
  T1 at 3 T, 1331 (white 832).
- T2 of grey and white matter: Stanisz et al. 2005 (MRM 54:507), 95 and 72 at 1.5 T, 99 and 69 at
  3 T; read second-hand in the tables of public simulators.
- T1 of cerebrospinal fluid: 4300 at any field, after Rooney et al. 2007 (MRM 57:308), read
  second-hand. FLAIR then nulls fluid at TI = 2.5 s for TR = 9 s, as protocols do.
- T2 of cerebrospinal fluid, all PD, the multiple-sclerosis plaque (as multiples of its white
  matter) and skin at 1.5 T: the BrainWeb phantom at 1.5 T (Collins et al. 1998, IEEE TMI 17:463;
  Kwan et al. 1999, IEEE TMI 18:1085), read in a public copy of its table. The fluid's 329 is an
  effective value; keeping it at 3 T is an assumption.
- Fat: Gold et al. 2004 (AJR 183:343), rounded, read second-hand. Skin at 3 T takes the ratio of its
  muscle: assumption.
- Infarct: T1 is 1.42 times the opposite side within seven days (T1 mapping by STAGE, 63 patients;
  abstract read), used for white matter; grey matter gets less, so that cortex brightens on FLAIR:
  assumption. T2 grows by 1.4-1.9 ms an hour at first (Damion et al. 2019, Phys Med Biol
  64:095016); its value after days is an assumption.
- Tumour, necrosis, oedema, age-related spot, skull and marrow: assumption (usual order of
  magnitude).
"""

import numpy as np

from medlearn.instruments.mri._site import Site

Numbers = float | np.ndarray
FIELDS = (1.5, 3.0)  # tesla: the two fields of the table; between them T1 and T2 follow a power law

#                         T1 1.5T  T2 1.5T  T1 3T  T2 3T   PD
_MEASURED = {
    "cerebrospinal fluid": (4300.0, 329.0, 4300.0, 329.0, 1.00),
    "grey matter": (1197.0, 95.0, 1607.0, 99.0, 0.86),
    "white matter": (646.0, 72.0, 838.0, 69.0, 0.77),
    "skull": (500.0, 1.0, 700.0, 1.0, 0.05),
    "marrow": (450.0, 60.0, 520.0, 55.0, 0.35),
    "fat": (290.0, 165.0, 370.0, 130.0, 0.90),
    "skin": (900.0, 47.0, 1260.0, 42.0, 0.80),
}
#                   parent tissue          T1     T2    PD    as multiples of the parent's values
_LESIONS = {
    "tumour": ("grey matter", 1.10, 1.50, 1.07),
    "necrosis": ("cerebrospinal fluid", 0.63, 0.80, 0.97),
    "oedema": ("white matter", 1.70, 1.75, 1.17),
    "plaque": ("white matter", 1.50, 3.39, 0.99),
    "infarct grey": ("grey matter", 1.15, 1.70, 1.06),
    "infarct white": ("white matter", 1.42, 1.90, 1.08),
    "spot": ("white matter", 1.25, 1.60, 1.04),
}
HEALTHY_TISSUES = tuple(_MEASURED)
LESION_TISSUES = tuple(_LESIONS)
TISSUES = HEALTHY_TISSUES + LESION_TISSUES


def tissue_table(field_tesla: float) -> np.ndarray:
    """Return T1, T2 and proton density of every tissue at a field strength.

    Between the two measured fields each time is A * B0**p (Bottomley et al. 1984, Med Phys 11:425,
    for T1).

    Parameters
    ----------
    field_tesla : float
        1.5 to 3.

    Returns
    -------
    numpy.ndarray, shape (tissues, 3)
        float64: T1 in ms, T2 in ms and proton density of each tissue of `TISSUES`.

    Examples
    --------
    >>> from medlearn.instruments.mri import physics
    >>> physics.tissue_table(3.0)[physics.TISSUES.index("grey matter")].round(2).tolist()
    [1607.0, 99.0, 0.86]
    """
    share = np.log(field_tesla / FIELDS[0]) / np.log(FIELDS[1] / FIELDS[0])
    rows = {}
    for name, (t1_low, t2_low, t1_high, t2_high, density) in _MEASURED.items():
        t1 = t1_low * (t1_high / t1_low) ** share
        t2 = t2_low * (t2_high / t2_low) ** share
        rows[name] = np.array([t1, t2, density])
    for name, (parent, *factors) in _LESIONS.items():
        rows[name] = rows[parent] * factors
    return np.stack([rows[name] for name in TISSUES])


def spoiled_gradient_echo(
    t1: Numbers, t2: Numbers, density: Numbers, tr: Numbers, te: Numbers, flip_deg: Numbers
) -> np.ndarray:
    """Return the steady-state signal of a spoiled gradient echo.

    Parameters
    ----------
    t1, t2 : float or numpy.ndarray
        Relaxation times in ms. T2 stands in for T2*: no field inhomogeneity is simulated.
    density : float or numpy.ndarray
        Proton density relative to water.
    tr, te : float or numpy.ndarray
        Repetition and echo time in ms.
    flip_deg : float or numpy.ndarray
        Flip angle in degrees.

    Returns
    -------
    numpy.ndarray
        The arguments are broadcast against each other.

    References
    ----------
    Ernst & Anderson 1966, Rev Sci Instrum 37:93; Haase et al. 1986, J Magn Reson 67:258 (FLASH).
    """
    flip, recovery = np.deg2rad(flip_deg), np.exp(-tr / t1)
    steady = density * np.sin(flip) * (1 - recovery) / (1 - np.cos(flip) * recovery)
    return steady * np.exp(-te / t2)


def spin_echo(t1: Numbers, t2: Numbers, density: Numbers, tr: Numbers, te: Numbers) -> np.ndarray:
    """Return the signal of a 90-180 degree spin echo with TE much shorter than TR.

    Parameters
    ----------
    t1, t2 : float or numpy.ndarray
        Relaxation times in ms.
    density : float or numpy.ndarray
        Proton density relative to water.
    tr, te : float or numpy.ndarray
        Repetition and echo time in ms.

    Returns
    -------
    numpy.ndarray
        The arguments are broadcast against each other.

    Examples
    --------
    >>> from medlearn.instruments.mri import physics
    >>> round(float(physics.spin_echo(800.0, 80.0, 1.0, tr=4000.0, te=80.0)), 4)
    0.3654
    """
    return density * (1 - np.exp(-tr / t1)) * np.exp(-te / t2)


def inversion_recovery(
    t1: Numbers, t2: Numbers, density: Numbers, tr: Numbers, te: Numbers, ti: Numbers
) -> np.ndarray:
    """Return the signed signal after an inversion before the excitation, repeated every TR.

    It serves the inversion-prepared T1w and FLAIR. The sign is kept, so that tissues that share a
    voxel may cancel; the scanner takes the magnitude after the noise.

    Parameters
    ----------
    t1, t2 : float or numpy.ndarray
        Relaxation times in ms.
    density : float or numpy.ndarray
        Proton density relative to water.
    tr, te, ti : float or numpy.ndarray
        Repetition, echo and inversion time in ms.

    Returns
    -------
    numpy.ndarray
        The arguments are broadcast against each other.

    References
    ----------
    Bydder & Young 1985, J Comput Assist Tomogr 9:659; Hajnal et al. 1992, J Comput Assist Tomogr
    16:841 (FLAIR).
    """
    return density * (1 - 2 * np.exp(-ti / t1) + np.exp(-tr / t1)) * np.exp(-te / t2)


def signals(site: Site, biology: Numbers = 1.0) -> np.ndarray:
    """Return the signed signal of every tissue at a site.

    Parameters
    ----------
    site : Site
        One scanner and protocol.
    biology : float or numpy.ndarray of shape (tissues, 3)
        Factors on T1, T2 and proton density of one subject.

    Returns
    -------
    numpy.ndarray, shape (tissues,)
        float32, in the order of `TISSUES`.
    """
    t1, t2, density = (tissue_table(site.field_tesla) * biology).T
    if site.sequence == "T1w":
        values = spoiled_gradient_echo(t1, t2, density, site.tr_ms, site.te_ms, site.flip_deg)
    elif site.sequence in ("T1w-IR", "FLAIR"):
        values = inversion_recovery(t1, t2, density, site.tr_ms, site.te_ms, site.ti_ms)
    else:
        values = spin_echo(t1, t2, density, site.tr_ms, site.te_ms)
    return values.astype(np.float32)
