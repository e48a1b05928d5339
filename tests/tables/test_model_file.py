"""Fitting a table, its model in the table's units, and the model's files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import tilewise as tw
from tests.support.damage import DAMAGE, damaged
from tilewise.data.columns import Columns, position_of
from tilewise.data.standardization import moments_of
from tilewise.tables.fit import fit_table
from tilewise.tables.model import LinearModel
from tilewise.tables.model_file import load_model, save_model
from tilewise.tables.table import NumericTable

pytestmark = pytest.mark.once

NAMES = ("x", "Größe", "y")
TABLE = NumericTable(NAMES, np.random.default_rng(3).normal([5, -2, 9], [3, 0.1, 40], (200, 3)))
MODEL = LinearModel(
    Columns(("x", "Größe"), "y", 2), np.array([2.0, -1 / 3]), 0.1,
    np.array([5.0, -2.0]), np.array([3.0, 0.1]), {"epochs": 20},
)  # fmt: skip


SQUARES = np.arange(1.0, 16.0).reshape(5, 3) ** 2


def same(one, other):
    assert json.dumps(one.training) == json.dumps(other.training)
    fields = [
        (m.columns, m.weights.tolist(), m.bias, m.mean.tolist(), m.scale.tolist())
        for m in (one, other)
    ]
    return fields[0] == fields[1]


def test_statistics_are_those_of_numpy_even_at_the_ends_of_the_range(rng):
    X = rng.normal(3, 2, (50, 4)) * [1, 1e-300, 1e300, 1]
    X[:, 3] = 0.1
    statistics = moments_of(X).standardization()
    np.testing.assert_allclose(statistics.mean[:2], X.mean(axis=0)[:2], rtol=1e-13)
    Z = statistics.apply(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(Z.std(axis=0), [1, 1, 1, 0], atol=1e-13)
    assert not Z[:, 3].any()


@pytest.mark.parametrize("target", ["x", "3"])
def test_fit_is_the_trainer_on_standardized_rows_without_those_held_out(target):
    settings = {"batch_size": 8, "learning_rate": "auto", "seed": 4}
    fitted = fit_table(TABLE.dataset(target), epochs=3, **settings)
    position = position_of(target, NAMES, 3)
    X, y = np.delete(TABLE.values, position, axis=1), TABLE.values[:, position]
    order = np.random.default_rng(4).permutation(200)
    held_out, kept = np.sort(order[:40]), np.sort(order[40:])
    m, s = X[kept].mean(axis=0), X[kept].std(axis=0)
    ym, ys = y[kept].mean(), y[kept].std()
    trainer = tw.Trainer(2, dtype=float, initial_weights=[0.0, 0.0], **settings)
    trainer.fit((X[kept] - m) / s, (y[kept] - ym) / ys, 3)
    expected = trainer.predict((X - m) / s) * ys + ym
    np.testing.assert_allclose(fitted.model.predict(X), expected, rtol=1e-11)
    for part, rows in (("training", kept), ("validation", held_out)):
        score = fitted.scores[part]
        residual, spread = expected[rows] - y[rows], y[rows] - y[rows].mean()
        assert score.rows == len(rows)
        assert score.loss == pytest.approx(np.mean(residual**2) / 2 / ys**2, rel=1e-9)
        assert score.r2 == pytest.approx(1 - residual @ residual / (spread @ spread))
    assert fitted.model.columns == Columns.of(NAMES, position)
    assert fitted.model.columns.features == tuple(np.delete(NAMES, position))


def test_a_line_is_found_in_the_units_of_the_table(rng):
    X = rng.normal([1e6, -3], [10, 1e-3], (500, 2))
    table = NumericTable(None, np.column_stack([X @ [2, 7000] - 4, X]))
    fitted = fit_table(table.dataset("1"), epochs=200, validation_fraction=0)
    np.testing.assert_allclose(fitted.model.weights, [2, 7000], rtol=1e-6)
    np.testing.assert_allclose(fitted.model.features_of(table), X)
    np.testing.assert_allclose(fitted.model.predict(X), table.values[:, 0], rtol=1e-9)
    assert list(fitted.scores) == ["training"]
    assert fitted.scores["training"].r2 == pytest.approx(1)
    assert fitted.model.columns == Columns(None, None, 0)


def test_a_constant_feature_has_no_weight_and_is_named():
    values = np.column_stack([TABLE.values[:, 0], np.full(200, 0.1), TABLE.values[:, 1]])
    fitted = fit_table(NumericTable(("a", "b", "c"), values).dataset())
    assert fitted.model.weights[1] == 0 != fitted.model.weights[0]
    assert fitted.constant == ["column 2 ('b')"]
    assert fit_table(NumericTable(None, values).dataset("1")).constant == ["column 2"]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((5, 1)), {}, "the table has one column; give the target and"),
        (np.eye(5, 2), {"target": "z"}, "target='z' is not a column; give a number from 1 to 2$"),
        (SQUARES * [1, 1, 0], {}, "the target, column 3, is 0 in every training row"),
        (np.eye(1, 3), {}, "validation_fraction=0.2 of 1 rows leaves a part empty"),
        (SQUARES, {"validation_fraction": 1.0}, "validation_fraction=1.0 is out of range"),
        (SQUARES, {"validation_fraction": np.nan}, "validation_fraction=nan is out of range"),
        (SQUARES, {"epochs": 0}, "epochs=0 is below 1"),
        (SQUARES, {"epochs": 10**30}, f"epochs={10**30} is above"),
        (SQUARES, {"batch_size": 0}, "batch_size=0 is below 1"),
        (SQUARES, {"learning_rate": np.nan}, "learning_rate=nan is out of range"),
        (SQUARES * [1e-300, 1, 1e300], {"validation_fraction": 0}, "rescale its columns"),
    ],
)
def test_what_cannot_be_fitted(values, options, message):
    with pytest.raises(ValueError, match=message):
        rows = NumericTable(None, values).dataset(options.pop("target", None))
        fit_table(rows, **options)


def test_a_target_over_the_whole_range():
    values = SQUARES * [1, 1, 0] + np.array([[1, 0.5, 0.1, -0.5, -1]]).T * [0, 0, 1.7e308]
    scores = fit_table(NumericTable(None, values).dataset(), validation_fraction=0).scores
    assert scores["training"].r2 > 0


def test_values_held_out_that_are_too_far_away():
    values = np.random.default_rng(0).normal(size=(10, 2)) * [1e-200, 1]
    values[np.random.default_rng(0).permutation(10)[0], 0] = 1e200
    with pytest.raises(ValueError, match="values of the validation part are too far apart"):
        fit_table(NumericTable(None, values).dataset())


def test_columns_by_name_in_any_order_and_otherwise_by_place():
    def columns(names, width):
        return MODEL.features_of(NumericTable(names, np.arange(float(width))[None])).tolist()

    assert columns(("y", "Größe", "z", "x"), 4) == [[3, 1]]
    assert columns(None, 2) == [[0, 1]]
    assert columns(None, 3) == [[0, 1]]  # with the target, column 3
    with pytest.raises(ValueError, match="column 'Größe' is missing; add it"):
        columns(("x", "size"), 2)
    with pytest.raises(ValueError, match=r"column 'x' \(and 1 more\) is missing"):
        columns(("a", "b"), 2)
    with pytest.raises(ValueError, match="columns: 4, features of the model: 2; give these"):
        columns(None, 4)


def test_a_prediction_without_end_is_an_error():
    with pytest.raises(ValueError, match="row 2 has values too large"):
        MODEL.predict(np.array([[1, 1], [1.7e308, 0]]))


@pytest.mark.parametrize("named", [True, False])
def test_a_saved_model_is_the_same(tmp_path, named):
    model = MODEL if named else replace(MODEL, columns=Columns(None, None, 0))
    save_model(model, tmp_path / "model.json")
    assert same(load_model(tmp_path / "model.json"), model)


def test_people_can_read_the_file(tmp_path):
    save_model(MODEL, tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text(encoding="utf-8")
    feature = json.loads(text)["features"][1]
    assert feature == {"name": "Größe", "weight": -1 / 3, "mean": -2.0, "scale": 0.1}
    assert "Größe" in text


def edited(tmp_path, change):
    save_model(MODEL, tmp_path / "model.json")
    about = json.loads((tmp_path / "model.json").read_text())
    change(about)
    (tmp_path / "edited.json").write_text(json.dumps(about))
    return load_model(tmp_path / "edited.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format="x"), "its format is not 'tilewise linear model 1'"),
        (lambda m: m.pop("bias"), "'bias' is missing"),
        (lambda m: m.update(bias="1"), "bias='1' is not a number"),
        (lambda m: m.update(bias=float("nan")), "bias is nan; it must be finite"),
        (lambda m: m.update(bias=10**400), "bias is inf; it must be finite"),
        (lambda m: m.update(features=[]), "features is empty"),
        (lambda m: m.update(features=3), "not iterable"),
        (lambda m: m["features"][0].pop("mean"), "'mean' is missing"),
        (lambda m: m["features"][0].update(weight=[1]), "is not a number"),
        (lambda m: m["features"][0].update(weight=True), "weight=True is not a number"),
        (lambda m: m["features"][0].update(name="Größe"), "2 columns have the name"),
        (lambda m: m["features"][1].update(name=None), "a feature's name is not a text"),
        (lambda m: m["target"].update(column=0), "column=0 is below 1"),
        (lambda m: m["target"].update(column=4), "column=4 is above 3"),
        (lambda m: m["target"].update(name=4), "the target's name, 4, is not a text"),
    ],
)
def test_edited_models(tmp_path, change, message):
    with pytest.raises(ValueError, match=r"edited\.json is no model of tilewise: .*" + message):
        edited(tmp_path, change)


def test_an_edited_weight_counts(tmp_path):
    model = edited(tmp_path, lambda m: m["features"][0].update(weight=100))
    assert model.predict(np.array([[1.0, 0.0]])) == pytest.approx([100.1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.json", b"", "line 1 column 1"),
        ("m.json", b'{"format":\n 1,}', "line 2 column 4"),
        ("m.json", b"[" * 100_000, "is no model of tilewise"),
        ("m.json", b"[]", "its format is not"),
        ("m.json", b"\xff", "decode byte 0xff in position 0"),
        ("m.json", b"1" * 5000, "is no model of tilewise"),
        ("m.npz", b"PK", "it is an NPZ file"),
    ],
)
def test_files_that_are_no_models(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / name)


def test_a_trainer_and_a_model_are_told_apart(tmp_path):
    tw.Trainer(2).save(tmp_path / "trainer.npz")
    with pytest.raises(ValueError, match=r"it is an NPZ file, such as Trainer\.save writes"):
        load_model(tmp_path / "trainer.npz")
    save_model(MODEL, tmp_path / "model.json")
    with pytest.raises(ValueError, match=r"it is JSON, such as the model\.json"):
        tw.Trainer.load(tmp_path / "model.json")


@settings(max_examples=300)
@given(changes=DAMAGE)
def test_damaged_models_are_read_or_refused(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    save_model(MODEL, path)
    path.write_bytes(damaged(path.read_bytes(), changes))
    try:
        model = load_model(path)
    except ValueError:
        return
    assert np.isfinite([*model.weights, model.bias]).all()
