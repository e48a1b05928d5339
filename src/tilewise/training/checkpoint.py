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
from tilewise.training.settings import Rate, Settings, check_checkpoint
from tilewise.training.state import State

_FORMAT = "tilewise trainer"
_SCHEDULES = {name: getattr(schedules, name) for name in schedules.__all__ if name != "Schedule"}
_VERSION = 2  # of the format: raised where a reader of the one before would go wrong


def save(state: State, path: Any) -> None:
    """Write the file under a temporary name and rename it."""
    checked = check_checkpoint("path", path)
    with state.alone(), outputs(checked.parent, [checked.name], force=True) as unfinished:
        _write(state, unfinished / checked.name)


def write_over(state: State, path: Any) -> None:
    """Write as `save` does, under one temporary name that the next write takes again.

    So a process that is killed leaves one such file at most. The caller is `alone`, and the only
    one to write there.
    """
    with replaced(Path(path)) as unfinished:
        _write(state, unfinished)


def _write(state: State, path: Path) -> None:
    settings = state.settings
    about = {
        "format": _FORMAT,
        "version": _VERSION,
        "settings": {
            **vars(settings),
            "dtype": settings.dtype.name,
            "optimizer": [settings.optimizer.name, dict(settings.optimizer.hyperparameters)],
            "learning_rate": check_rate(settings.learning_rate),
        },
        "epochs": state.epochs,
        "rows_into_epoch": state.rows_into_epoch,
        "trained_on": state.trained_on,
        "start_loss": None if math.isnan(state.start_loss) else state.start_loss,
    }
    text = np.array(json.dumps(about, default=lambda number: number.item()))
    arrays: dict[str, Any] = {"about": text, **state.arrays}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Any) -> State:
    """Return what was saved; see `Trainer.load`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r} is not a path; give a str")
    content = read_content(path)
    try:
        if content.lstrip().startswith(b"{"):
            raise ValueError(
                "it is JSON, such as the model.json of `tilewise train`, which `tilewise predict` "
                "takes; give the NPZ file that Trainer.save writes"
            )
        arrays = read_npz(content, ("about", *State.ARRAYS))
        about = json.loads(str(arrays.pop("about")))
        if (about["format"], about["version"]) != (_FORMAT, _VERSION):
            raise ValueError(
                f"it has format {about['format']!r}, version {about['version']!r}; this tilewise "
                f"reads {_FORMAT!r}, version {_VERSION}"
            )
        return _state(about, arrays)
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{os.fspath(path)!r} is not a trainer saved by tilewise: {reason}"
        ) from None


def _state(about: dict[str, Any], arrays: dict[str, Any]) -> State:
    saved = about["settings"]
    name, hyperparameters = saved["optimizer"]
    saved["optimizer"] = Optimizer(name, **hyperparameters)
    saved["learning_rate"] = _rate(saved["learning_rate"])
    settings = Settings(**saved)
    shape = arrays["parameters"].shape
    if shape != settings.parameters_shape:  # before there is memory for a damaged shape
        raise ValueError(f"parameters is {shape}, not {settings.parameters_shape}")
    state = State(settings, np.zeros(settings.weights_shape, settings.dtype))
    for name, own in state.arrays.items():
        array = arrays[name]
        if array.shape != own.shape or array.dtype != own.dtype:
            raise ValueError(f"{name} is {array.dtype}{array.shape}, not {own.dtype}{own.shape}")
        own[...] = array
    if (state.counters < 0).any() or not state.random.any():
        raise ValueError("a count is negative or the random numbers have no state")
    if not state.is_finite:
        raise ValueError("a number is not finite")
    state.epochs = check_int("epochs", about["epochs"], minimum=0)
    state.rows_into_epoch = check_int("rows_into_epoch", about["rows_into_epoch"], minimum=0)
    if not isinstance(about["trained_on"], dict):
        raise TypeError("trained_on is no dict")
    state.trained_on = about["trained_on"]
    if about["start_loss"] is not None:
        state.start_loss = check_positive("start_loss", about["start_loss"], or_zero=True)
    return state


def check_rate(rate: Rate) -> Any:
    """Return the learning rate as JSON has it, or raise."""
    if isinstance(rate, schedules.Schedule) and type(rate) in _SCHEDULES.values():
        return [type(rate).__name__, asdict(rate)]
    if isinstance(rate, float | str):
        return rate
    raise TypeError(
        f"learning_rate={rate!r} cannot be saved; set a number or one of tilewise.schedules first"
    )


def _rate(saved: Any) -> Any:
    """Return the learning rate that JSON has."""
    if isinstance(saved, list):
        name, values = saved
        return _SCHEDULES[name](**values)
    return saved
