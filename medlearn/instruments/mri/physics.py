"""From tissue to signal: relaxation times with their sources, and the three signal equations.

Where each number comes from (times in ms, proton density PD relative to water):

- T1 of grey and white matter: Wright et al. 2008 (MAGMA 21:121), MPRAGE, the same four subjects at 1.5 T and 3 T:
  white 646 and 838, grey 1197 and 1607. Wansapura et al. 1999 report a shorter grey T1 at 3 T, 1331 (white 832).
- T2 of grey and white matter: Stanisz et al. 2005 (MRM 54:507), 95 and 72 at 1.5 T, 99 and 69 at 3 T; read second-hand
  in the tables of public simulators.
- T1 of cerebrospinal fluid: 4300 at any field, after Rooney et al. 2007 (MRM 57:308), read second-hand. FLAIR then
  nulls fluid at TI = 2.5 s for TR = 9 s, as protocols do.
- T2 of cerebrospinal fluid, all PD, the multiple-sclerosis plaque (as multiples of its white matter) and skin at 1.5 T:
  the BrainWeb phantom at 1.5 T (Collins et al. 1998, IEEE TMI 17:463; Kwan et al. 1999, IEEE TMI 18:1085),
  read in a public copy of its table. The fluid's 329 is an effective value; keeping it at 3 T is an assumption.
- Fat: Gold et al. 2004 (AJR 183:343), rounded, read second-hand. Skin at 3 T takes the ratio of its muscle: assumption.
- Infarct: T1 is 1.42 times the opposite side within seven days (T1 mapping by STAGE, 63 patients; abstract read), used
  for white matter; grey matter gets less, so that cortex brightens on FLAIR: assumption. T2 grows by 1.4-1.9 ms an hour
  at first (Damion et al. 2019, Phys Med Biol 64:095016); its value after days is an assumption.
- Tumour, necrosis, oedema, age-related spot, skull and marrow: assumption (usual order of magnitude).
"""

import numpy as np

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
HEALTHY_TISSUES, LESION_TISSUES = tuple(_MEASURED), tuple(_LESIONS)
TISSUES = HEALTHY_TISSUES + LESION_TISSUES
INDEX = {name: position for position, name in enumerate(TISSUES)}


def tissue_table(field_tesla: float) -> np.ndarray:
    """T1 (ms), T2 (ms) and proton density of every tissue of `TISSUES` at a field between 1.5 and 3 tesla.

    Returns float64 (tissues, 3). Between the two measured fields each time is A * B0**p (Bottomley et al. 1984,
    Med Phys 11:425, for T1).
    """
    share = np.log(field_tesla / FIELDS[0]) / np.log(FIELDS[1] / FIELDS[0])
    rows = {}
    for name, (t1_low, t2_low, t1_high, t2_high, density) in _MEASURED.items():
        rows[name] = np.array(
            [t1_low * (t1_high / t1_low) ** share, t2_low * (t2_high / t2_low) ** share, density]
        )
    for name, (parent, *factors) in _LESIONS.items():
        rows[name] = rows[parent] * factors
    return np.stack([rows[name] for name in TISSUES])


def spoiled_gradient_echo(t1, t2, density, tr, te, flip_deg):
    """Steady-state signal of a spoiled gradient echo (Ernst & Anderson 1966; Haase et al. 1986, FLASH).

    Times in ms, `flip_deg` in degrees; broadcasts. T2 stands in for T2*: no field inhomogeneity is simulated.
    """
    flip, recovery = np.deg2rad(flip_deg), np.exp(-tr / t1)
    return (
        density * np.sin(flip) * (1 - recovery) / (1 - np.cos(flip) * recovery) * np.exp(-te / t2)
    )


def spin_echo(t1, t2, density, tr, te):
    """Signal of a 90-180 degree spin echo with TE much shorter than TR. Times in ms; broadcasts."""
    return density * (1 - np.exp(-tr / t1)) * np.exp(-te / t2)


def inversion_recovery(t1, t2, density, tr, te, ti):
    """Signed signal after an inversion TI before the excitation, repeated every TR (Bydder & Young 1985).

    Serves the inversion-prepared T1w and FLAIR (Hajnal et al. 1992). Times in ms; broadcasts. The sign is kept, so
    that tissues sharing a voxel may cancel; the magnitude is taken by the scanner, after the noise.
    """
    return density * (1 - 2 * np.exp(-ti / t1) + np.exp(-tr / t1)) * np.exp(-te / t2)


def signals(site, biology=1.0) -> np.ndarray:
    """Signed signal of every tissue of `TISSUES` at a `Site`: float32 (tissues,).

    `biology` multiplies the table's columns T1, T2 and PD: 1, or (tissues, 3) for one subject.
    """
    t1, t2, density = (tissue_table(site.field_tesla) * biology).T
    if site.sequence == "T1w":
        values = spoiled_gradient_echo(t1, t2, density, site.tr_ms, site.te_ms, site.flip_deg)
    elif site.sequence in ("T1w-IR", "FLAIR"):
        values = inversion_recovery(t1, t2, density, site.tr_ms, site.te_ms, site.ti_ms)
    else:
        values = spin_echo(t1, t2, density, site.tr_ms, site.te_ms)
    return values.astype(np.float32)
