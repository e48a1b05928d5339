"""One list of settings: every place that writes it out has all of it, with its defaults."""

import inspect
import json
from dataclasses import fields

import numpy as np
import pytest

import tilewise as tw
from tilewise.commands.cli import _parser
from tilewise.training.settings import FitOptions, Settings

pytestmark = pytest.mark.once

SETTINGS = {field.name: field.default for field in fields(Settings)}
OPTIONS = {field.name: field.default for field in fields(FitOptions)}
OF_THE_DATA = {"n_features", "n_targets", "dtype"}
OF_JOBS = {"comm", "average_every", "checkpoint", "checkpoint_every"}


def signature(function):
    return {name: p.default for name, p in inspect.signature(function).parameters.items()}


def command_line():
    return vars(_parser().parse_args(["train", "FILE"]))


def estimator():
    pytest.importorskip("sklearn")
    return signature(tw.SGDRegressor)


# What a place lacks by intent, and the defaults that are its own.
PLACES = {
    "Trainer": (lambda: signature(tw.Trainer), SETTINGS, set(), {"n_features": inspect._empty}),
    "Trainer.fit": (lambda: signature(tw.Trainer.fit), OPTIONS, set(), {}),
    "fit": (
        lambda: signature(tw.fit),
        SETTINGS | OPTIONS,
        {*OF_THE_DATA, "callbacks", "checkpoint", "checkpoint_every"},  # these are of a trainer
        {},
    ),
    "SGDRegressor": (
        estimator,
        SETTINGS | OPTIONS,
        {*OF_THE_DATA, *OF_JOBS, "seed", "record_every", "callbacks", "progress"},
        {"learning_rate": "auto", "epochs": 100},
    ),
    "tilewise train": (
        command_line,
        SETTINGS | OPTIONS,
        {*OF_THE_DATA, *OF_JOBS - {"average_every", "checkpoint_every"}, "clip_norm", "average"}
        | {"record_every", "patience", "tolerance", "callbacks", "progress", "verbose"},
        {"learning_rate": "auto", "epochs": 20, "seed": 0, "average_every": None}
        | {"checkpoint_every": None},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_has_the_settings_and_their_defaults(place):
    written_out, wanted, left_out, own = PLACES[place]
    found = written_out()
    assert wanted.keys() - found.keys() == left_out & wanted.keys(), "forgotten, or left out"
    for name in wanted.keys() & found.keys():
        assert found[name] == own.get(name, wanted[name]), name


def test_a_checkpoint_has_all_settings(tmp_path):
    tw.Trainer(3).save(tmp_path / "trainer.npz")
    with np.load(tmp_path / "trainer.npz") as arrays:
        assert json.loads(str(arrays["about"]))["settings"].keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", ["average_every", "checkpoint_every", "record_every", "patience"])
def test_options_are_checked_where_they_are_not_used(name):
    X, y, _, _ = tw.data.synthetic(50, 3, seed=0)
    for value in (0, -3, "x", True):
        with pytest.raises((TypeError, ValueError), match=f"{name}="):
            tw.Trainer(3).fit(X, y, **{name: value})
        with pytest.raises((TypeError, ValueError), match=f"{name}="):
            tw.Trainer(3).fit(tw.open_rows([(X, y)]), **{name: value})
    with pytest.raises(TypeError, match="tolerance='x'"):
        tw.fit(tw.open_rows([(X, y)]), tolerance="x")


def test_numbers_of_numpy_are_taken_for_pythons():
    X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
    options = {"epochs": np.int8(127), "record_every": np.int16(1000), "patience": np.uint8(200)}
    assert tw.fit(X, y, **options, seed=0).examples[-1] == 127_000
    assert tw.fit(X, y, epochs=np.uint8(255), seed=0).examples[-1] == 255_000
