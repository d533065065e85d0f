"""Companion package of a notebook course on transfer learning and domain adaptation for medical images."""

import warnings as _warnings

from medlearn import engine as _engine

__version__ = "0.1.0"

if not _engine.installed():
    _warnings.warn(_engine.MISSING, stacklevel=2)
