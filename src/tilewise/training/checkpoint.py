"""A trainer's whole state in one NPZ file, without pickle."""

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tilewise import schedules
from tilewise._checks import check_int, check_positive
from tilewise._files import outputs, read_content, read_npz, replaced
from tilewise.training.optimizers import Optimizer
from tilewise.training.settings import Config, Rate
from tilewise.training.state import Engine

__all__ = ["check", "load", "save", "write_over"]

_FORMAT = "tilewise trainer 1"


def save(engine: Engine, path: Any) -> None:
    """Write the file under a temporary name and rename it."""
    checked = _checked_path(path)
    with engine.alone(), outputs(checked.parent, [checked.name], force=True) as unfinished:
        _write(engine, unfinished / checked.name)


def check(engine: Engine, path: Any) -> Path:
    """Return the path, or raise if the engine cannot be saved there."""
    _rate_to_json(engine.rate)
    return _checked_path(path)


def _checked_path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r} is not a path; give a str ending in .npz")
    checked = Path(path)
    if checked.suffix != ".npz":
        raise ValueError(f"path={str(path)!r} does not end in .npz; give such a name")
    if not checked.parent.is_dir():
        raise FileNotFoundError(f"{checked.parent} is not a folder; make it first")
    return checked


def write_over(engine: Engine, path: Path) -> None:
    """Write as `save` does, under one temporary name that the next write takes again.

    So a process that is killed leaves one such file at most. The caller is `alone`, and the only
    one to write there.
    """
    with replaced(path) as unfinished:
        _write(engine, unfinished)


def _write(engine: Engine, path: Path) -> None:
    config = engine.config
    settings = {
        **{name: getattr(config, name) for name in _PLAIN},
        "dtype": config.dtype.name,
        "optimizer": [config.optimizer.name, dict(config.optimizer.hyperparameters)],
        "learning_rate": _rate_to_json(engine.rate),
        "epochs": engine.epochs,
        "epoch_examples": engine.epoch_examples,
        "trained_on": engine.trained_on,
        "start_loss": None if math.isnan(engine.start_loss) else engine.start_loss,
        "format": _FORMAT,
    }
    text = np.array(json.dumps(settings, default=lambda number: number.item()))
    arrays: dict[str, Any] = {"settings": text, **engine.arrays}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Any) -> Engine:
    """Return what was saved; see `Trainer.load`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r} is not a path; give a str")
    content = read_content(path)
    try:
        arrays = read_npz(content, ("settings", *Engine.ARRAYS))
        settings = json.loads(str(arrays.pop("settings")))
        if settings["format"] != _FORMAT:
            raise ValueError(f"its format is not {_FORMAT!r}")
        return _engine(settings, arrays)
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{os.fspath(path)!r} is not a trainer saved by tilewise: {reason}"
        ) from None


_PLAIN = (
    "n_features",
    "n_targets",
    "batch_size",
    "sampling",
    "weight_decay",
    "clip_norm",
    "average",
    "seed",
)


def _engine(settings: dict[str, Any], arrays: dict[str, Any]) -> Engine:
    name, hyperparameters = settings["optimizer"]
    config = Config.checked(
        **{key: settings[key] for key in _PLAIN},
        dtype=settings["dtype"],
        optimizer=Optimizer(name, **hyperparameters),
    )
    rate = config.checked_rate(_rate_from_json(settings["learning_rate"]))
    shape = arrays["parameters"].shape
    if shape != config.parameters_shape:  # before there is memory for a damaged shape
        raise ValueError(f"parameters is {shape}, not {config.parameters_shape}")
    engine = Engine(config, rate, np.zeros(config.weights_shape, config.dtype))
    for name, own in engine.arrays.items():
        array = arrays[name]
        if array.shape != own.shape or array.dtype != own.dtype:
            raise ValueError(f"{name} is {array.dtype}{array.shape}, not {own.dtype}{own.shape}")
    if not (np.isfinite(arrays["parameters"]).all() and np.isfinite(arrays["slots"]).all()):
        raise ValueError("a number is not finite")
    if (arrays["counters"] < 0).any() or not arrays["random"].any():
        raise ValueError("a count is negative or the random numbers have no state")
    epochs, epoch_examples = (
        check_int(name, settings[name], minimum=0) for name in ("epochs", "epoch_examples")
    )
    if not isinstance(settings["trained_on"], dict):
        raise TypeError("trained_on is no dict")
    engine.trained_on = settings["trained_on"]
    start_loss = settings["start_loss"]
    if start_loss is not None:
        check_positive("start_loss", start_loss, or_zero=True)
    start_loss = math.nan if start_loss is None else start_loss
    engine.restore((arrays, epochs, epoch_examples, start_loss))
    return engine


def _rate_to_json(rate: Rate) -> Any:
    name = type(rate).__name__
    if isinstance(rate, schedules.Schedule) and type(rate) is getattr(schedules, name, None):
        return [name, asdict(rate)]
    if isinstance(rate, float | str):
        return rate
    raise TypeError(
        f"learning_rate={rate!r} cannot be saved; set a number or one of tilewise.schedules first"
    )


def _rate_from_json(saved: Any) -> Any:
    if isinstance(saved, list):
        name, fields = saved
        if name not in schedules.__all__ or name == "Schedule":
            raise ValueError(f"unknown schedule {name!r}")
        return getattr(schedules, name)(**fields)
    return saved
