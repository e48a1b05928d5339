"""A linear model as JSON for people or as NPZ for NumPy, without pickle."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import check_int, check_real
from tilewise._files import read_content, read_npz
from tilewise.data.columns import check_names
from tilewise.tables.model import LinearModel, Standardization

__all__ = ["load_model", "save_model"]

_FORMAT = "tilewise linear model 1"
_FORMULA = "target = bias + the sum of weight * feature, in the units of the training file"


def save_model(model: LinearModel, path: Path) -> None:
    """Write the model to a file that ends in .json or .npz.

    The JSON has an entry a feature. The NPZ has the same as the arrays ``weights``, ``means`` and
    ``scales``, and without them as the text ``about``.

    Parameters
    ----------
    model : LinearModel
    path : Path
        A file there is replaced.
    """
    standardization = model.standardization
    columns = {
        "weight": model.weights, "mean": standardization.mean, "scale": standardization.scale
    }  # fmt: skip
    names = model.features or (None,) * len(model.weights)
    about: dict[str, Any] = {
        "format": _FORMAT,
        "formula": _FORMULA,
        "target": {"name": model.target, "column": model.target_position + 1},
        "bias": model.bias,
        "features": [{"name": name} for name in names],
        "training": model.training,
    }
    if path.suffix == ".npz":
        arrays: dict[str, Any] = {f"{key}s": array for key, array in columns.items()}
        np.savez(path, about=_to_json(about), **arrays)
        return
    for key, array in columns.items():
        for entry, number in zip(about["features"], array.tolist(), strict=True):
            entry[key] = number
    path.write_text(_to_json(about) + "\n", encoding="utf-8")


def load_model(path: str | os.PathLike[str]) -> LinearModel:
    """Return the model of a file that `save_model` wrote, or that a person changed since.

    Parameters
    ----------
    path : path
        ``.npz`` is NumPy's format; anything else is JSON.

    Returns
    -------
    LinearModel

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It has no such model. The message says what is wrong, for JSON with line and column.
    """
    parse = _parse_npz if Path(path).suffix.lower() == ".npz" else _parse_json
    content = read_content(path)
    try:
        return _model(parse(content))
    except (ValueError, LookupError, TypeError, RecursionError, MemoryError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{os.fspath(path)} is no model of tilewise: {what}") from None


def _to_json(about: dict[str, Any]) -> str:
    return json.dumps(about, indent=2, allow_nan=False, ensure_ascii=False)


def _parse_json(content: bytes) -> dict[str, Any]:
    about = json.loads(content.decode("utf-8-sig"))
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT!r}")
    return about


def _parse_npz(content: bytes) -> dict[str, Any]:
    """Return what the JSON of the same model has."""
    arrays = read_npz(content, ("about", "weights", "means", "scales"))
    about = _parse_json(str(arrays.pop("about")).encode())
    for name, array in arrays.items():
        for entry, number in zip(about["features"], array.tolist(), strict=True):
            entry[name.removesuffix("s")] = number
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
    return LinearModel(
        features=names if named else None,
        target=target,
        target_position=check_int("column", about["target"]["column"], maximum=len(names) + 1) - 1,
        weights=weights,
        bias=_finite("bias", about["bias"]),
        standardization=Standardization(mean, scale),
        training=about["training"],
    )


def _finite(name: str, value: Any) -> float:
    number = check_real(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {number}; it must be finite")
    return number
