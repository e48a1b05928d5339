"""A linear model as JSON, which people read and edit too."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import check_int, check_real
from tilewise._files import read_content
from tilewise.data.columns import Columns, check_names
from tilewise.tables.model import LinearModel

_FORMAT = "tilewise linear model 1"
_FORMULA = "target = bias + the sum of weight * feature, in the units of the training file"


def save_model(model: LinearModel, path: Path) -> None:
    """Write the model, with an entry a feature; a file there is replaced."""
    names = model.columns.features or (None,) * len(model.weights)
    columns = [array.tolist() for array in (model.weights, model.mean, model.scale)]
    about = {
        "format": _FORMAT,
        "formula": _FORMULA,
        "target": {"name": model.columns.target, "column": model.columns.target_position + 1},
        "bias": model.bias,
        "features": [
            {"name": name, "weight": weight, "mean": mean, "scale": scale}
            for name, weight, mean, scale in zip(names, *columns, strict=True)
        ],
        "training": model.training,
    }
    text = json.dumps(about, indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def load_model(path: str | os.PathLike[str]) -> LinearModel:
    """Return the model of a file that `save_model` wrote, or that a person changed since.

    ValueError says what is wrong, for JSON with line and column.
    """
    content = read_content(path)
    try:
        return _model(_parse(content))
    except (ValueError, LookupError, TypeError, RecursionError, MemoryError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{os.fspath(path)} is no model of tilewise: {what}") from None


def _parse(content: bytes) -> dict[str, Any]:
    if content.startswith(b"PK"):
        raise ValueError(
            "it is an NPZ file, such as Trainer.save writes and Trainer.load reads; give the "
            "model.json that `tilewise train` writes"
        )
    about = json.loads(content.decode("utf-8-sig"))
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT!r}")
    return about


def _model(about: dict[str, Any]) -> LinearModel:
    entries = about["features"]
    if not entries:
        raise ValueError("features is empty")
    names = tuple(entry["name"] for entry in entries)
    named = names[0] is not None
    if named:
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a feature's name is not a text")
        check_names(names)
    target = about["target"]["name"]
    if not isinstance(target, str | None):
        raise ValueError(f"the target's name, {target!r}, is not a text")
    weights, mean, scale = (
        np.array([_finite(key, entry[key]) for entry in entries])
        for key in ("weight", "mean", "scale")
    )
    position = check_int("column", about["target"]["column"], maximum=len(names) + 1) - 1
    columns = Columns(names if named else None, target, position)
    return LinearModel(
        columns, weights, _finite("bias", about["bias"]), mean, scale, about["training"]
    )


def _finite(name: str, value: Any) -> float:
    number = check_real(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {number}; it must be finite")
    return number
