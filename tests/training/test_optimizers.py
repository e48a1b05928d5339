"""Optimizers and schedules against their formulas."""

import pickle

import numpy as np
import pytest

import tilewise as tw
from tilewise import _core

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 4))
Y = X @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.7 + 0.1 * RNG.normal(size=200)
RATES = {
    "sgd": 0.05,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.3,
    "rmsprop": 0.01,
    "adadelta": 1.0,
    "adam": 0.02,
}


class Reference:
    """The formulas, in float64."""

    def __init__(self, name):
        self.name, self.m, self.s, self.t = name, 0.0, 0.0, 0

    def change(self, g, rate):
        """Return what is taken from the parameters."""
        self.t += 1
        if self.name == "sgd":
            return rate * g
        if self.name in ("momentum", "nesterov"):
            self.m = 0.9 * self.m + g
            return rate * (self.m if self.name == "momentum" else g + 0.9 * self.m)
        if self.name == "adagrad":
            self.s = self.s + g * g
            return rate * g / (np.sqrt(self.s) + 1e-10)
        if self.name == "adam":
            self.m = 0.9 * self.m + 0.1 * g
            self.s = 0.999 * self.s + 0.001 * g * g
            mean = self.m / (1 - 0.9**self.t)
            return rate * mean / (np.sqrt(self.s / (1 - 0.999**self.t)) + 1e-8)
        self.s = 0.9 * self.s + 0.1 * g * g
        if self.name == "rmsprop":
            return rate * g / (np.sqrt(self.s) + 1e-8)
        update = np.sqrt(self.m + 1e-6) / np.sqrt(self.s + 1e-6) * g
        self.m = 0.9 * self.m + 0.1 * update * update
        return rate * update


def reference_fit(name, *, decay=0.0, clip=np.inf, batch_size=10, epochs=5):
    """Return the parameters after the epochs, and the mean of those after each step."""
    w = np.zeros(5)
    ones = np.hstack([X, np.ones((200, 1))])
    optimizer = Reference(name)
    steps = []
    for _ in range(epochs):
        for begin in range(0, 200, batch_size):
            rows = slice(begin, begin + batch_size)
            g = ones[rows].T @ (ones[rows] @ w - Y[rows]) / batch_size
            g *= min(1.0, clip / np.linalg.norm(g))
            g[:4] += decay * w[:4]
            w = w - optimizer.change(g, RATES[name])
            steps.append(w)
    return w, np.mean(steps, axis=0)


def parameters(name, **settings):
    """Return the parameters of a trainer after 100 steps."""
    trainer = tw.Trainer(
        4,
        batch_size=10,
        learning_rate=RATES[name],
        optimizer=name,
        sampling="sequential",
        dtype=np.float64,
        initial_weights=np.zeros(4),
        **settings,
    )
    trainer.fit(X, Y, epochs=5)
    assert trainer.steps == 100
    assert trainer.examples == 1000
    return np.append(trainer.weights, trainer.bias)


def test_every_optimizer_is_tested():
    assert list(_core.optimizers()) == list(RATES)


@pytest.mark.parametrize("name", RATES)
def test_optimizers_are_their_formulas(name):
    last, mean = reference_fit(name)
    assert np.allclose(parameters(name), last, rtol=1e-11, atol=0)
    assert np.allclose(parameters(name, average=True), mean, rtol=1e-11, atol=0)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_weight_decay_and_clipping(name):
    last, _ = reference_fit(name, decay=0.1, clip=0.5)
    assert np.allclose(parameters(name, weight_decay=0.1, clip_norm=0.5), last, rtol=1e-11, atol=0)


@pytest.mark.parametrize("name", [name for name in RATES if name != "adadelta"])
def test_optimizers_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    rate = RATES[name]
    optimizer = {
        "sgd": lambda: torch.optim.SGD([w], rate),
        "momentum": lambda: torch.optim.SGD([w], rate, momentum=0.9),
        "nesterov": lambda: torch.optim.SGD([w], rate, momentum=0.9, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad([w], rate),
        "rmsprop": lambda: torch.optim.RMSprop([w], rate, alpha=0.9),
        "adam": lambda: torch.optim.Adam([w], rate),
    }[name]()
    ones = torch.tensor(np.hstack([X, np.ones((200, 1))]))
    y = torch.tensor(Y)
    for _ in range(5):
        for begin in range(0, 200, 10):
            optimizer.zero_grad()
            residuals = ones[begin : begin + 10] @ w - y[begin : begin + 10]
            ((residuals**2).mean() / 2).backward()
            optimizer.step()
    assert np.allclose(parameters(name), w.detach().numpy(), rtol=1e-9, atol=0)


def test_hyperparameters():
    mild = tw.Optimizer("momentum", momentum=0.5)
    assert dict(mild.hyperparameters) == {"momentum": 0.5}
    assert pickle.loads(pickle.dumps(mild)) == mild
    assert (tw.Trainer(2, optimizer=mild)._state.slots == 0).all()
    with pytest.raises(TypeError, match="sgd has no hyperparameter 'momentum'; it has: none"):
        tw.Optimizer("sgd", momentum=0.5)
    with pytest.raises(ValueError, match="momentum=1"):
        tw.Optimizer("momentum", momentum=1)
    with pytest.raises(ValueError, match="epsilon=0"):
        tw.Optimizer("adam", epsilon=0)


SCHEDULES = [
    (tw.schedules.EpochDecay(0.1, 0.5), lambda step: 0.1 * 0.5 ** (step // 20)),
    (tw.schedules.Step(0.1, 0.5, 7), lambda step: 0.1 * 0.5 ** (step // 7)),
    (tw.schedules.Exponential(0.1, 0.01), lambda step: 0.1 * np.exp(-0.01 * step)),
    (
        tw.schedules.Cosine(0.1, 50, final=0.01),
        lambda step: 0.01 + 0.09 * (1 + np.cos(np.pi * min(step / 50, 1))) / 2,
    ),
    (tw.schedules.InverseScaling(0.1, 0.25), lambda step: 0.1 / (1 + step) ** 0.25),
]


@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize(("schedule", "formula"), SCHEDULES)
def test_schedules(schedule, formula, batch_size):
    steps_per_epoch = 200 // batch_size
    if isinstance(schedule, tw.schedules.EpochDecay):
        formula = lambda step: 0.1 * 0.5 ** (step // steps_per_epoch)  # noqa: E731
    settings = {"batch_size": batch_size, "sampling": "sequential", "seed": 0, "epochs": 3}
    by_name = tw.fit(X, Y, learning_rate=schedule, **settings)
    by_hand = tw.fit(X, Y, learning_rate=formula, **settings)
    assert np.allclose(by_name.weights, by_hand.weights, rtol=1e-13)
    w = tw.Trainer(4, dtype=np.float64, seed=0).weights
    w = np.append(w, 0.0)
    ones = np.hstack([X, np.ones((200, 1))])
    for step in range(3 * steps_per_epoch):
        rows = (np.arange(batch_size) + step * batch_size) % 200
        w -= formula(step) * ones[rows].T @ (ones[rows] @ w - Y[rows]) / batch_size
    assert np.allclose(np.append(by_name.weights, by_name.bias), w, rtol=1e-10)


def test_many_steps_ask_a_callable_in_order():
    asked = []
    tw.fit(X, Y, batch_size=1, epochs=50, learning_rate=lambda step: asked.append(step) or 0.01)
    assert asked == list(range(10_000))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, "fast", None])
def test_a_bad_rate_names_its_step_and_changes_nothing(bad):
    trainer = tw.Trainer(4, dtype=np.float64, learning_rate=lambda step: bad if step == 30 else 0.1)
    before = trainer.weights
    with pytest.raises((ValueError, TypeError), match="30"):
        trainer.fit(X, Y, epochs=10)
    assert (trainer.weights == before).all()
    assert trainer.steps == 0


def test_schedules_check_their_values():
    with pytest.raises(ValueError, match="rate=0"):
        tw.schedules.EpochDecay(0, 0.5)
    with pytest.raises(ValueError, match="every=0"):
        tw.schedules.Step(0.1, 0.5, 0)
    with pytest.raises(ValueError, match=r"final=0\.2"):
        tw.schedules.Cosine(0.1, 10, final=0.2)
