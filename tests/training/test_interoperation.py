"""Arrays and data frames of other libraries: used as they lie where that is possible."""

import numpy as np
import pytest

import tilewise as tw
from tilewise import _core
from tilewise.data.training_set import TrainingSet

pytestmark = pytest.mark.once

RNG = np.random.default_rng(5)
X = RNG.normal(size=(50, 3)).astype(np.float32)
Y = (X @ np.float32([1, -2, 3]) + 1).astype(np.float32)


def memory_map(array, folder):
    path = folder / f"{array.ndim}.bin"
    array.tofile(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape)


def read_only(array, folder):
    view = array.view()
    view.setflags(write=False)
    return view


def torch_tensor(array, folder):
    return pytest.importorskip("torch").tensor(array)


def jax_array(array, folder):
    return pytest.importorskip("jax.numpy").asarray(array)


def pandas_frame(array, folder):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(array, copy=False) if array.ndim == 2 else pandas.Series(array)


def pandas_columns(array, folder):
    pandas = pytest.importorskip("pandas")
    return (
        pandas.Series(array)
        if array.ndim == 1
        else pandas.DataFrame(dict(zip("abc", array.T, strict=True)))
    )


def polars_frame(array, folder):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(array) if array.ndim == 2 else polars.Series(array)


# How to lay out an array of NumPy, and whether the rows are used as they lie then.
CONTAINERS = {
    "numpy": (lambda array, folder: array, True),
    "rows apart": (lambda array, folder: np.repeat(array, 2, axis=0)[::2], True),
    "reversed rows": (lambda array, folder: array[::-1].copy()[::-1], True),
    "read-only": (read_only, True),
    "memory map": (memory_map, True),
    "torch": (torch_tensor, True),
    "jax": (jax_array, True),
    "pandas": (pandas_frame, True),
    "pandas columns": (pandas_columns, False),
    "polars": (polars_frame, False),
    "Fortran order": (lambda array, folder: np.asfortranarray(array), False),
    "columns apart": (lambda array, folder: np.repeat(array, 2, axis=-1)[..., ::2], False),
    "other byte order": (lambda array, folder: array.astype(">f4"), False),
}


@pytest.fixture(params=CONTAINERS)
def container(request, tmp_path):
    """Return X, y, and whether X is used as it lies."""
    make, as_it_lies = CONTAINERS[request.param]
    return make(X, tmp_path), make(Y, tmp_path), as_it_lies


def test_the_result_is_that_of_numpy(container):
    other_X, other_y, _ = container
    history = tw.fit(other_X, other_y, seed=0)
    assert (history.weights == tw.fit(X, Y, seed=0).weights).all()
    trainer, expected = (tw.Trainer(3, learning_rate=0.1, seed=0) for _ in range(2))
    trainer.step(other_X, other_y, other_y**2)
    expected.step(X, Y, Y**2)
    assert (trainer.weights == expected.weights).all()
    trainer.run_epoch(other_X, other_y)
    expected.run_epoch(X, Y)
    assert (trainer.weights == expected.weights).all()
    np.testing.assert_allclose(trainer.predict(other_X), expected.predict(X), rtol=1e-5)
    assert trainer.loss(other_X, other_y) == pytest.approx(expected.loss(X, Y), rel=1e-6)


def test_the_regressor_takes_them(container, monkeypatch):
    pytest.importorskip("sklearn")
    other_X, other_y, as_it_lies = container
    trained_on = []
    run_epoch = tw.Trainer.run_epoch
    monkeypatch.setattr(
        tw.Trainer, "run_epoch", lambda *args: (trained_on.extend(args[1:3]), run_epoch(*args))
    )
    model = tw.SGDRegressor(random_state=0).partial_fit(other_X, other_y)
    assert np.shares_memory(trained_on[0], np.asarray(other_X)) or not as_it_lies
    expected = tw.SGDRegressor(random_state=0).partial_fit(X, Y)
    assert model.coef_.dtype == np.float32
    assert (model.coef_ == expected.coef_).all()
    np.testing.assert_allclose(model.predict(other_X), expected.predict(X), rtol=1e-5)


def test_no_copy_where_the_layout_allows(container):
    other_X, other_y, as_it_lies = container
    examples = TrainingSet.checked(
        other_X, other_y, None, n_features=3, n_targets=None, dtype=np.float32
    )
    assert np.shares_memory(examples.X, np.asarray(other_X)) == as_it_lies
    if as_it_lies and examples.y.strides[0] == np.asarray(other_y).strides[0]:
        assert np.shares_memory(examples.y, np.asarray(other_y))


def test_predict_takes_columns_without_a_copy(monkeypatch):
    pytest.importorskip("sklearn")
    taken, predict = [], _core.predict
    monkeypatch.setattr(
        "tilewise._core.predict", lambda X, state: taken.append(X) or predict(X, state)
    )
    columns = np.asfortranarray(X)
    tw.Trainer(3).predict(columns)
    tw.SGDRegressor().fit(X, Y).predict(columns)
    assert all(np.shares_memory(array, columns) for array in taken)
    assert len(taken) == 2


def torch_ones(**options):
    return pytest.importorskip("torch").ones((2, 3), **options)


def bfloat16():
    return torch_ones().bfloat16()


def bfloat16_of_jax():
    jnp = pytest.importorskip("jax.numpy")
    return jnp.ones((2, 3), jnp.bfloat16)


def nullable():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"a": [1.0, None], "b": [1.0, 2.0]}, dtype="Float64")


def null():
    return pytest.importorskip("polars").DataFrame({"a": [1.0, None], "b": [1.0, 2.0]})


def text():
    return pytest.importorskip("polars").DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})


def lazy():
    return text().lazy()


def sparse():
    return pytest.importorskip("scipy.sparse").csr_array(X)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch_ones(requires_grad=True), r"X cannot be read .* Use tensor\.detach\(\)"),
        (lambda: torch_ones(device="meta"), r"X cannot be read .* Use Tensor\.cpu\(\)"),
        (bfloat16, "X cannot be read as a NumPy array: .* BFloat16"),
        (bfloat16_of_jax, "X has dtype bfloat16; give real numbers"),
        (nullable, r"X\[1, 0\] is <NA>, not a number; give real numbers"),
        (null, r"X\[1, 0\] is nan; remove or replace"),
        (text, r"X\[0, 1\] is 'x', not a number; give real numbers"),
        (lazy, "X is a LazyFrame; give a dense array"),
        (sparse, "X is a csr_array; give a dense array"),
        (lambda: np.ones((2, 3), object), "X has dtype object; convert it with np.asarray"),
        (lambda: np.array([["1", "2"]]), "X has dtype <U1; give real numbers"),
        (lambda: np.ones((2, 3), int), "X has dtype int64; convert it with np.asarray"),
        (lambda: np.ones((2, 3), complex), "X has dtype complex128; give real numbers"),
        (lambda: None, "X is a NoneType; give a dense array"),
        (lambda: [[1.0], [1.0, 2.0]], "X has rows of different lengths"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(make, message):
    value = make()
    with pytest.raises((TypeError, ValueError), match=message) as error:
        tw.fit(value, np.ones(2))
    assert len(str(error.value).splitlines()) == 1
