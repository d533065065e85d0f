"""A predictor as one folder: the model, its settings as JSON, and the model card as a page."""

import hashlib
import json
import shutil
from pathlib import Path

from medlearn import _drafts, _files, report
from medlearn._keras import keras
from medlearn.inference._range import ImageRange

FORMATS = (1, 2)  # 2 if images get black around, which readers of 1 would crop
MODEL, SETTINGS, CARD = "model.keras", "predictor.json", "card.html"
_DAMAGED = "{} is damaged: copy the folder anew."
_ALTERED = "{} was altered or damaged after it was saved: copy the folder anew."
_LARGEST_SETTINGS = 1_000_000  # bytes
_KEYS = {"format", "task", "classes", "size", "temperature", "threshold", "ask_below", "limits"}
_KEYS |= {"versions", "sha256"}


def save(predictor, folder: Path) -> Path:
    """Write a predictor into a temporary folder, then rename it; return the folder.

    Parameters
    ----------
    predictor : Predictor
        The model with its settings and its card.
    folder : Path
        A new folder, or one of an earlier predictor, which is replaced.

    Raises
    ------
    FileExistsError
        If the folder holds something else.
    """
    if folder.exists() and not (folder / SETTINGS).is_file() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} holds something else than a predictor: choose a new folder."
        )
    _files.make_folder(folder.parent, "The folder for the predictor")
    _drafts.remove_dead(folder.parent)
    draft = _drafts.beside(folder)
    draft.mkdir()
    try:
        predictor.model.save(draft / MODEL)
        settings = _settings(predictor, draft)
        settings["sha256"][SETTINGS] = _digest_of_settings(settings)
        text = json.dumps(settings, indent=1, ensure_ascii=False)
        (draft / SETTINGS).write_text(text + "\n", encoding="utf-8")
        if predictor.card is not None:
            report.save(predictor.card, draft / CARD)
        _files.replace_folder(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _settings(predictor, draft: Path) -> dict:
    return {
        "format": FORMATS[predictor.fit != "crop"],
        "task": predictor.task,
        "classes": predictor.classes,
        "size": predictor.size,
        "fit": predictor.fit,
        "temperature": predictor.temperature,
        "threshold": predictor.threshold,
        "ask_below": predictor.ask_below,
        "limits": predictor.image_range.limits,
        "versions": predictor.versions,
        "sha256": {MODEL: _digest(draft / MODEL)},
    }


def read(folder: Path) -> dict:
    """Return the fields of the predictor that `save` wrote; nothing of it is run as code."""
    settings = _read_settings(folder)
    try:
        size = tuple(settings["size"])
        limits = {name: _pair(pair) for name, pair in settings["limits"].items()}
        image_range = ImageRange(limits, size)
        classes = tuple(settings["classes"])
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(_DAMAGED.format(folder / SETTINGS)) from error
    fields = {
        name: settings[name]
        for name in ("task", "temperature", "threshold", "ask_below", "versions")
    }
    return fields | {
        "model": _read_model(folder, settings["sha256"].get(MODEL)),
        "classes": classes,
        "size": size,
        "fit": settings.get("fit", "crop"),
        "image_range": image_range,
    }


def _pair(values) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


def _read_settings(folder: Path) -> dict:
    path = folder / SETTINGS
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no predictor in {folder}: it should hold {SETTINGS} and {MODEL}, which "
            "Predictor.save writes."
        )
    if path.stat().st_size > _LARGEST_SETTINGS:
        raise ValueError(f"{path} is too large to be the settings of a predictor.")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        version = settings["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(_DAMAGED.format(path)) from error
    if isinstance(version, bool) or version not in FORMATS:
        raise ValueError(
            f"{folder} was saved in format {version!r}, and this medlearn reads the formats "
            f"{FORMATS[0]} to {FORMATS[-1]}: update medlearn."
        )
    if not set(settings) >= _KEYS:
        raise ValueError(f"{path} lacks {', '.join(sorted(_KEYS - set(settings)))}.")
    digests = settings["sha256"]
    if not isinstance(digests, dict) or digests.get(SETTINGS) != _digest_of_settings(settings):
        raise ValueError(_ALTERED.format(path))
    return settings


def _read_model(folder: Path, digest: str) -> keras.Model:
    from medlearn import networks

    path = folder / MODEL
    if not path.is_file():
        raise FileNotFoundError(f"{folder} lacks {MODEL}: copy the folder anew.")
    if _digest(path) != digest:
        raise ValueError(_ALTERED.format(path))
    networks.losses  # noqa: B018 - our layers register themselves when they are imported
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"Keras cannot load {path}: {lines[0]}") from error


def _digest_of_settings(settings: dict) -> str:
    """Return the digest of all settings but the digests' own."""
    values = {name: value for name, value in settings.items() if name != "sha256"}
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
