"""`SGDRegressor`: scikit-learn's own checks, and that it is the trainer."""

import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

import tilewise as tw
from tests.support.signalled import signalled

checks = pytest.importorskip("sklearn.utils.estimator_checks")  # imports what is used below
sklearn = pytest.importorskip("sklearn")

RNG = np.random.default_rng(5)
X = RNG.normal(size=(200, 4)).astype(np.float32)
Y = (X @ np.float32([1, -2, 3, 0.5]) + 1 + 0.1 * RNG.normal(size=200)).astype(np.float32)
BOTH = np.stack([Y, -2 * Y], axis=1)


@checks.parametrize_with_checks([tw.SGDRegressor()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


SETTINGS = {
    "batch_size": 7,
    "learning_rate": tw.schedules.Cosine(0.02, 500),
    "optimizer": "adam",
    "sampling": "replacement",
    "weight_decay": 0.01,
    "clip_norm": 3.0,
    "average": True,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [Y, BOTH])
def test_it_is_the_trainer_bit_for_bit(targets, dtype):
    stop = {"validation_fraction": 0.2, "patience": 2, "tolerance": 1e-2}
    weights = RNG.uniform(size=200)
    model = tw.SGDRegressor(epochs=400, random_state=3, **SETTINGS, **stop)
    model.fit(X.astype(dtype), targets, weights)
    n_targets = None if targets.ndim == 1 else 2
    trainer = tw.Trainer(4, n_targets=n_targets, dtype=dtype, seed=3, **SETTINGS)
    trainer.fit(X.astype(dtype), targets, 400, sample_weight=weights, **stop)
    assert model.coef_.dtype == dtype
    assert (model.coef_ == trainer.weights.T).all()
    assert np.array_equal(model.intercept_, trainer.bias)
    predicted = model.predict(X.astype(dtype))
    assert predicted.dtype == dtype
    assert (predicted == trainer.predict(X.astype(dtype))).all()
    assert 2 < model.n_iter_ < 400
    assert model.n_iter_ == trainer.examples / 160


def test_partial_fit_goes_on():
    model = tw.SGDRegressor(random_state=3, **SETTINGS)
    trainer = tw.Trainer(4, seed=3, **SETTINGS)
    for rows in (slice(0, 100), slice(100, 150), slice(0, 200)):
        model.partial_fit(X[rows], Y[rows])
        trainer.run_epoch(X[rows], Y[rows])
    assert (model.coef_ == trainer.weights).all()
    assert model.n_iter_ == 3
    whole = tw.SGDRegressor(epochs=2, random_state=3, **SETTINGS).fit(X, Y).partial_fit(X, Y)
    assert (
        whole.coef_ == tw.SGDRegressor(epochs=3, random_state=3, **SETTINGS).fit(X, Y).coef_
    ).all()
    assert whole.n_iter_ == 3
    assert (whole.coef_ != whole.fit(X, Y).coef_).any()  # fit begins anew


def test_partial_fit_keeps_the_last_good_weights():
    model = tw.SGDRegressor(learning_rate=0.01, random_state=0).partial_fit(X, Y)
    with pytest.raises(tw.DivergenceError) as error:
        model.partial_fit(np.float32(1e15) * X, Y)
    assert np.isfinite(model.coef_).all()
    assert (model.coef_ == error.value.history.weights).all()
    unfitted = tw.SGDRegressor(learning_rate=1e30)
    with pytest.raises(tw.DivergenceError):
        unfitted.partial_fit(X, Y)
    assert not hasattr(unfitted, "coef_")


def test_pickles_go_on_and_clones_begin_anew():
    optimizer = tw.Optimizer("momentum", momentum=0.8)
    model = tw.SGDRegressor(optimizer=optimizer, epochs=3, random_state=1).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(X) == model.predict(X)).all()
    assert (again.partial_fit(X, Y).coef_ == model.partial_fit(X, Y).coef_).all()
    new = sklearn.base.clone(model)
    assert not hasattr(new, "coef_")
    assert new.optimizer == optimizer


def test_random_state():
    def weights(random_state):
        return tw.SGDRegressor(epochs=1, random_state=random_state).fit(X, Y).coef_.tolist()

    assert weights(4) == weights(4) != weights(5)
    assert weights(np.random.RandomState(4)) == weights(np.random.RandomState(4))
    np.random.seed(0)
    first = weights(None)
    assert first != weights(None)
    np.random.seed(0)
    assert first == weights(None)
    with pytest.raises(ValueError, match="random_state=-1 is below 0"):
        weights(-1)
    with pytest.raises(TypeError, match="random_state='a' is not an integer"):
        weights("a")


def test_numbers_of_other_dtypes_are_converted():
    integers = (10 * X).astype(np.int64)
    model = tw.SGDRegressor(random_state=0).fit(integers, integers[:, 0])
    assert model.coef_.dtype == np.float64
    assert model.score(integers, integers[:, 0]) > 0.99
    assert model.predict(integers.astype(np.float32)).dtype == np.float64
    single = tw.SGDRegressor(random_state=0).fit(X, integers[:, 0])
    assert single.coef_.dtype == np.float32
    with pytest.raises(ValueError, match=r"y\[0\] is 1e\+300, too large for float32"):
        single.fit(X, np.full(200, 1e300))


def test_feature_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = tw.SGDRegressor(random_state=0).fit(frame, pd.Series(Y))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert (model.coef_ == tw.SGDRegressor(random_state=0).fit(X, Y).coef_).all()
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])


def test_sparse_input_is_refused():
    sparse = pytest.importorskip("scipy.sparse").csr_array(X)
    model = tw.SGDRegressor().fit(X, Y)
    for call in (lambda: model.fit(sparse, Y), lambda: model.predict(sparse)):
        with pytest.raises(TypeError, match="dense data is required"):
            call()


def test_a_pipeline_in_a_grid_search():
    scaler = sklearn.preprocessing.StandardScaler()
    pipeline = sklearn.pipeline.make_pipeline(scaler, tw.SGDRegressor(random_state=0))
    grid = {"sgdregressor__batch_size": [1, 16], "sgdregressor__epochs": [1, 30]}
    search = sklearn.model_selection.GridSearchCV(pipeline, grid, cv=3).fit(100 * X + 7, Y)
    assert search.best_params_["sgdregressor__epochs"] == 30
    assert search.best_score_ > 0.99


def test_as_good_as_least_squares(airfoil):
    features, target = airfoil
    best = sklearn.linear_model.LinearRegression().fit(features, target)
    model = tw.SGDRegressor(average=True, random_state=0).fit(features, target)
    assert model.score(features, target) > best.score(features, target) - 0.002
    np.testing.assert_allclose(model.coef_, best.coef_, atol=0.02)


def changed(array, position, value):
    copy = array.copy()
    copy[position] = value
    return copy


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((changed(X, (12, 3), np.nan), Y), ValueError, r"X\[12, 3\] is nan"),
        ((changed(X, (12, 3), -np.inf), Y), ValueError, r"X\[12, 3\] is -inf"),
        ((X, changed(Y, 7, np.nan)), ValueError, r"y\[7\] is nan"),
        ((X, changed(Y, 7, np.inf)), ValueError, r"y\[7\] is inf"),
        ((X, Y[1:]), ValueError, r"y has shape \(199,\); give shape \(200,\)"),
        ((X[:0], Y[:0]), ValueError, "0 sample"),
        ((X[:, :0], Y), ValueError, "0 feature"),
        ((X + 1j, Y), ValueError, "Complex data not supported"),
        ((np.ma.masked_array(X), Y), TypeError, "X is a masked array"),
        ((X, np.ma.masked_array(Y)), TypeError, "y is a masked array"),
        ((X, Y.astype("M8[D]")), ValueError, r"y has dtype datetime64\[D\]"),
        ((X, Y.astype(str)), ValueError, "not compatible with arrays of bytes/strings"),
        ((X, Y + 1j), ValueError, "Complex data not supported"),
        ((X, Y, np.zeros(200)), ValueError, "sample_weight is zero everywhere"),
        ((X, Y, changed(Y, slice(None), -1)), ValueError, r"sample_weight\[0\] is -1"),
        ((X, Y, Y[1:]), ValueError, r"sample_weight has shape \(199,\)"),
    ],
)
def test_bad_data_changes_nothing(arguments, error, message, method):
    model = tw.SGDRegressor(random_state=0, epochs=2).fit(X, Y)
    before = pickle.dumps(model)
    with pytest.raises(error, match=message):
        getattr(model, method)(*arguments)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"learning_rate": 0}, ValueError, "learning_rate=0"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate=-1.0"),
        ({"learning_rate": 1e9}, tw.DivergenceError, "learning_rate=1000000000.0 is too large"),
        ({"optimizer": "adam"}, ValueError, "learning_rate='auto' has no meaning for adam"),
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction=1.0"),
        ({"patience": 0}, ValueError, "patience=0"),
    ],
)
def test_a_failed_fit_leaves_the_model_as_it_was(change, error, message):
    model = tw.SGDRegressor(random_state=0, epochs=2).fit(X, Y)
    before = model.predict(X)
    model.set_params(**change)
    wide = pytest.importorskip("pandas").DataFrame(np.hstack([X, X]), columns=list("abcdefgh"))
    with pytest.raises(error, match=message):
        model.fit(wide, Y)
    assert (model.predict(X) == before).all()
    assert not hasattr(model, "feature_names_in_")


def test_ctrl_c_keeps_the_weights_so_far():
    model = tw.SGDRegressor(epochs=10**9, random_state=0)
    with pytest.raises(KeyboardInterrupt), signalled(signal.SIGINT, steps=10_000):
        model.fit(X, Y)
    assert model.score(X, Y) > 0.99


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)


def test_scikit_learn_is_imported_only_when_asked_for():
    done = python(
        "import sys, numpy.random; before = set(sys.modules); import tilewise\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*new - sys.stdlib_module_names)"
    )
    assert {"tilewise"} <= set(done.stdout.split()) <= {"tilewise", "numpy", "threadpoolctl"}
    with pytest.raises(AttributeError, match="no attribute 'SGDClassifier'"):
        _ = tw.SGDClassifier


WITHOUT = "import sys; sys.modules['sklearn'] = None\n"  # fails to import then
LOOK = """
import inspect, pydoc, tilewise
from tilewise import *

assert "SGDRegressor" in dir(tilewise)
assert dict(inspect.getmembers(tilewise))["SGDRegressor"] is SGDRegressor
assert "class SGDRegressor(" in pydoc.plaintext.document(tilewise)
print(SGDRegressor, inspect.signature(SGDRegressor), SGDRegressor.__doc__)
"""


def test_without_scikit_learn_the_class_looks_the_same():
    without, usual = python(WITHOUT + LOOK), python(LOOK)
    assert "minibatch SGD" in usual.stdout, usual.stderr
    assert without.stdout == usual.stdout, without.stderr


@pytest.mark.parametrize(
    "make",
    ["tilewise.SGDRegressor(epochs=3)", f"pickle.loads({pickle.dumps(tw.SGDRegressor())})"],
    ids=["construct", "unpickle"],
)
def test_without_scikit_learn_no_estimator_can_be_made(make):
    done = python(f"{WITHOUT}import pickle, tilewise; {make}")
    assert done.stderr.splitlines()[-1] == (
        'ImportError: tilewise.SGDRegressor needs scikit-learn; pip install "tilewise[sklearn]"'
    )


class WithOneMore(tw.SGDRegressor):
    def __init__(self, extra=1, batch_size=32):
        super().__init__(batch_size=batch_size, random_state=0)
        self.extra = extra


class WithFewer(tw.SGDRegressor):
    def __init__(self, seed=3):
        super().__init__(learning_rate=0.1, epochs=7, random_state=0)
        self.seed = seed


def test_a_subclass_trains_with_the_parameters_that_it_hands_on():
    X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    one_more = WithOneMore(batch_size=10).fit(X, y)
    expected = tw.SGDRegressor(batch_size=10, random_state=0).fit(X, y)
    np.testing.assert_array_equal(one_more.coef_, expected.coef_)
    fewer = WithFewer().fit(X, y)
    assert (fewer.n_iter_, fewer._trainer.learning_rate) == (7, 0.1)
    fewer.comm = "not an option of the estimator"
    fewer.fit(X, y)


@pytest.mark.parametrize("name", ["epochs", "patience", "validation_fraction", "tolerance"])
def test_partial_fit_checks_what_it_does_not_use(name):
    X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    with pytest.raises(ValueError, match=f"{name}=-1"):
        tw.SGDRegressor(**{name: -1}).partial_fit(X, y)


def test_plain_arrays_go_a_short_way_that_gives_the_same():
    short, long = (tw.SGDRegressor(random_state=1) for _ in range(2))
    for first in range(0, 200, 40):
        rows = slice(first, first + 40)
        short.partial_fit(X[rows], Y[rows])
        long.partial_fit(np.asfortranarray(X[rows]), Y[rows])
    np.testing.assert_array_equal(short.coef_, long.coef_)
    np.testing.assert_array_equal(short.predict(X), short.predict(X.tolist()))


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (X[:, :2], Y, "X has 2 features, but SGDRegressor is expecting 4"),
        (X[:0], Y[:0], "Found array with 0 sample"),
        (X[0], Y[:1], "Expected 2D array, got 1D"),
        (X, Y[:-1], "y has shape"),
        (X, None, "requires y to be passed"),
        (X, np.float32(1), "at least 1 dimension"),
    ],
)
def test_the_short_way_is_for_what_would_pass(rows, labels, message):
    model = tw.SGDRegressor(random_state=0).partial_fit(X, Y)
    with pytest.raises((ValueError, TypeError), match=message):
        model.partial_fit(rows, labels)
    if len(rows) != len(X) or rows.shape[1:] != (4,):
        with pytest.raises(ValueError, match=message):
            model.predict(rows)


def test_names_of_columns_are_asked_for_in_every_prediction():
    pandas = pytest.importorskip("pandas")
    model = tw.SGDRegressor(random_state=0).fit(pandas.DataFrame(X, columns=list("abcd")), Y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
