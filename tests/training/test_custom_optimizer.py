"""Training with an optimizer written in Python."""

import numpy as np
import pytest

import tilewise as tw


def sgd(params, grads, states, hyperparams):
    for param, grad in zip(params, grads, strict=True):
        param -= hyperparams["lr"] * grad


def test_generic_training_equals_the_native_one():
    X, y, _, _ = tw.data.synthetic(500, 5, seed=0, dtype=np.float64)
    native = tw.fit(
        X, y, batch_size=10, learning_rate=0.05, epochs=2, seed=8, sampling="sequential"
    )
    batches = tw.data.Minibatches(X, y, 10, shuffle=False)
    generic = tw.train(sgd, None, {"lr": 0.05}, batches, 5, epochs=2, seed=8)
    np.testing.assert_allclose(generic.weights, native.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(generic.losses, native.losses, rtol=1e-12)
    np.testing.assert_array_equal(generic.examples, native.examples)


def test_generic_training_hands_states_through():
    def momentum(params, grads, states, hyperparams):
        for param, grad, velocity in zip(params, grads, states, strict=True):
            velocity *= 0.9
            velocity += grad
            param -= hyperparams["lr"] * velocity

    X, y, weights, bias = tw.data.synthetic(500, 2, noise=0.0, seed=0)
    states = [np.zeros(2), np.zeros(1)]
    batches = tw.data.Minibatches(X, y, 10, seed=0)
    history = tw.train(momentum, states, {"lr": 0.02}, batches, 2, epochs=4, seed=0)
    np.testing.assert_allclose(history.weights, weights, atol=1e-3)
    assert history.bias == pytest.approx(bias, abs=1e-3)
    assert states[0].any()


def test_the_parameters_are_the_same_arrays_in_all_epochs():
    seen = []

    def keep(params, grads, states, hyperparams):
        seen.append(params[0])
        sgd(params, grads, states, hyperparams)

    X, y, _, _ = tw.data.synthetic(20, 2, seed=0)
    tw.train(keep, None, {"lr": 0.1}, tw.data.Minibatches(X, y, 10), 2, epochs=3)
    assert len(seen) == 6
    assert all(weights is seen[0] for weights in seen)


def test_generic_training_refuses_what_it_cannot_iterate_twice():
    X, y, _, _ = tw.data.synthetic(20, 2, seed=0)
    with pytest.raises(ValueError, match="data_iter gave nothing in epoch 1"):
        tw.train(sgd, None, {"lr": 0.1}, iter([(X, y)]), 2)
    with pytest.raises(ValueError, match="data_iter gave no minibatch"):
        tw.train(sgd, None, {"lr": 0.1}, [], 2)
    with pytest.raises(ValueError, match="n_features=3"):
        tw.train(sgd, None, {"lr": 0.1}, [(X, y)], 3)


def test_generic_training_reports_divergence():
    X, y, _, _ = tw.data.synthetic(200, 2, seed=0)
    batches = tw.data.Minibatches(X, y, 10, seed=0)
    with pytest.raises(FloatingPointError, match="the loss overflowed after"):
        tw.train(sgd, None, {"lr": 100.0}, batches, 2, epochs=50)


def shrink(params, grads, states, hyperparams):
    params[0] = params[0][:1]


X2 = np.ones((4, 2))


@pytest.mark.parametrize(
    ("optimizer_fn", "data_iter", "error", "message"),
    [
        (None, [(X2, np.ones(4))], TypeError, "optimizer_fn=None"),
        (sgd, 5, TypeError, "data_iter=5 is not iterable"),
        (sgd, [X2], TypeError, "must yield pairs"),
        (sgd, [(X2, np.ones(4), 1)], TypeError, "must yield pairs"),
        (sgd, [(X2, np.ones(3))], ValueError, r"X of shape \(4, 2\) and y of shape \(3,\)"),
        (sgd, [(X2, np.ones(4)), (np.ones((4, 3)), np.ones(4))], ValueError, r"\(4, 3\)"),
        (shrink, [(X2, np.ones(4))], ValueError, "optimizer_fn left params of shapes"),
    ],
)
def test_wrong_arguments_are_named(optimizer_fn, data_iter, error, message):
    with pytest.raises(error, match=message):
        tw.train(optimizer_fn, None, {"lr": 0.1}, data_iter, 2)
