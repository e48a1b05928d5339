"""The cells of d2l.ai, section 12.5, with the import changed and nothing else.

The cells are those of the book's PyTorch edition, shortened where they only repeat; its sample code
is under a modified MIT licence.
"""

from types import SimpleNamespace

import numpy as np
import pytest

import tilewise as tw
from tilewise import d2l

pytest.importorskip("matplotlib")

TIMING = """
timer = d2l.Timer()
for i in range(N):
    for j in range(N):
        A[i, j] = torch.dot(B[i, :], C[:, j])
timer.stop()
timer.start()
for j in range(N):
    A[:, j] = torch.mv(B, C[:, j])
timer.stop()
timer.start()
A = torch.mm(B, C)
timer.stop()
gigaflops = [0.03 / i for i in timer.times]
timer.start()
for j in range(0, N, 8):
    A[:, j:j+8] = torch.mm(B, C[:, j:j+8])
timer.stop()
"""

DATA = """
d2l.DATA_HUB['airfoil'] = (d2l.DATA_URL + 'airfoil_self_noise.dat',
                           '76e5be1548fd8222e5074cf0faae75edff8cf93f')

def get_data_ch11(batch_size=10, n=1500):
    data = np.genfromtxt(d2l.download('airfoil'),
                         dtype=np.float32, delimiter='\\t')
    data = torch.from_numpy((data - data.mean(axis=0)) / data.std(axis=0))
    data_iter = d2l.load_array((data[:n, :-1], data[:n, -1]),
                               batch_size, is_train=True)
    return data_iter, data.shape[1]-1
"""

SCRATCH = """
def sgd(params, states, hyperparams):
    for p in params:
        p.data.sub_(hyperparams['lr'] * p.grad)
        p.grad.data.zero_()

def train_ch11(trainer_fn, states, hyperparams, data_iter,
               feature_dim, num_epochs=2):
    w = torch.normal(mean=0.0, std=0.01, size=(feature_dim, 1),
                     requires_grad=True)
    b = torch.zeros((1), requires_grad=True)
    net, loss = lambda X: d2l.linreg(X, w, b), d2l.squared_loss
    animator = d2l.Animator(xlabel='epoch', ylabel='loss',
                            xlim=[0, num_epochs], ylim=[0.22, 0.35])
    n, timer = 0, d2l.Timer()
    for _ in range(num_epochs):
        for X, y in data_iter:
            l = loss(net(X), y).mean()
            l.backward()
            trainer_fn([w, b], states, hyperparams)
            n += X.shape[0]
            if n % 200 == 0:
                timer.stop()
                animator.add(n/X.shape[0]/len(data_iter),
                             (d2l.evaluate_loss(net, data_iter, loss),))
                timer.start()
    print(f'loss: {animator.Y[0][-1]:.3f}, {timer.sum()/num_epochs:.3f} sec/epoch')
    return timer.cumsum(), animator.Y[0]

def train_sgd(lr, batch_size, num_epochs=2):
    data_iter, feature_dim = get_data_ch11(batch_size)
    return train_ch11(
        sgd, None, {'lr': lr}, data_iter, feature_dim, num_epochs)

gd_res = train_sgd(1, 1500, 2)
mini1_res = train_sgd(.4, 100)
mini2_res = train_sgd(.05, 10)
"""

PLOT = """
d2l.set_figsize([6, 3])
d2l.plot(*list(map(list, zip(gd_res, mini1_res, mini2_res))),
         'time (sec)', 'loss', xlim=[1e-2, 10],
         legend=['gd', 'batch size=100', 'batch size=10'])
d2l.plt.gca().set_xscale('log')
"""

CONCISE = """
def train_concise_ch11(trainer_fn, hyperparams, data_iter, num_epochs=4):
    net = nn.Sequential(nn.Linear(5, 1))
    def init_weights(m):
        if type(m) == nn.Linear:
            torch.nn.init.normal_(m.weight, std=0.01)
    net.apply(init_weights)
    optimizer = trainer_fn(net.parameters(), **hyperparams)
    loss = nn.MSELoss(reduction='none')
    animator = d2l.Animator(xlabel='epoch', ylabel='loss',
                            xlim=[0, num_epochs], ylim=[0.22, 0.35])
    n, timer = 0, d2l.Timer()
    for _ in range(num_epochs):
        for X, y in data_iter:
            optimizer.zero_grad()
            out = net(X)
            y = y.reshape(out.shape)
            l = loss(out, y)
            l.mean().backward()
            optimizer.step()
            n += X.shape[0]
            if n % 200 == 0:
                timer.stop()
                animator.add(n/X.shape[0]/len(data_iter),
                             (d2l.evaluate_loss(net, data_iter, loss) / 2,))
                timer.start()
    print(f'loss: {animator.Y[0][-1]:.3f}, {timer.sum()/num_epochs:.3f} sec/epoch')
    concise_losses.extend(animator.Y[0])

data_iter, _ = get_data_ch11(10)
trainer = torch.optim.SGD
train_concise_ch11(trainer, {'lr': 0.01}, data_iter)
"""

# The section's own cells again, with the functions that need PyTorch from here.
ARRAYS = """
from tilewise.d2l import get_data_ch11, train_ch11

def sgd(params, states, hyperparams):
    for p in params:
        p.data.sub_(hyperparams['lr'] * p.grad)
        p.grad.data.zero_()

def train_sgd(lr, batch_size, num_epochs=2):
    data_iter, feature_dim = get_data_ch11(batch_size)
    return train_ch11(
        sgd, None, {'lr': lr}, data_iter, feature_dim, num_epochs)

gd_res = train_sgd(1, 1500, 10)
sgd_res = train_sgd(0.005, 1)
mini1_res = train_sgd(.4, 100)
mini2_res = train_sgd(.05, 10)
"""

NATIVE = """
def train_sgd(lr, batch_size, num_epochs=2):
    data_iter, feature_dim = d2l.get_data_ch11(batch_size)
    return d2l.train_ch11(
        d2l.sgd, None, {'lr': lr}, data_iter, feature_dim, num_epochs)

gd_res = train_sgd(1, 1500, 10)
sgd_res = train_sgd(0.005, 1)
mini1_res = train_sgd(.4, 100)
mini2_res = train_sgd(.05, 10)
data_iter, _ = d2l.get_data_ch11(10)
concise_res = d2l.train_concise_ch11('sgd', {'lr': 0.05}, data_iter)
"""


def test_the_cells_run_with_torch(pyplot, capsys):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    N = 24
    names = {"d2l": d2l, "torch": torch, "nn": torch.nn, "np": np, "N": N, "concise_losses": []}
    names |= {"A": torch.zeros(N, N), "B": torch.randn(N, N), "C": torch.randn(N, N)}
    with torch.enable_grad():
        for cell in (TIMING, DATA, SCRATCH, PLOT, CONCISE):
            exec(cell, names)
    torch.testing.assert_close(names["A"], names["B"] @ names["C"])
    assert len(names["gigaflops"]) == 3
    assert all(0.23 < names[run][1][-1] < 0.3 for run in ("mini1_res", "mini2_res"))
    assert 0.23 < names["concise_losses"][-1] < 0.3, "half of the mean squared error"
    assert capsys.readouterr().out.count("sec/epoch") == 4
    assert pyplot.gca().get_xscale() == "log"


def test_the_cells_run_natively(pyplot, capsys):
    np.random.seed(0)
    names = {"d2l": d2l}
    exec(NATIVE + PLOT, names)
    for run in ("gd_res", "sgd_res", "mini1_res", "mini2_res", "concise_res"):
        times, losses = names[run]
        assert len(times) == len(losses) >= 10
        assert times == sorted(times)
        assert 0.24 < losses[-1] < 0.27, run
    low, high = pyplot.gca().get_xlim()
    assert low <= min(names["gd_res"][0]) <= high, "a curve that is faster than the limits is seen"
    assert np.log10([low, high]) == pytest.approx(np.round(np.log10([low, high]))), "ends labelled"


def test_the_cells_that_train_run_without_torch(pyplot):
    np.random.seed(0)
    names = {"d2l": d2l}
    exec(ARRAYS + PLOT, names)
    for run in ("gd_res", "sgd_res", "mini1_res", "mini2_res"):
        times, losses = names[run]
        assert len(times) == len(losses) >= 10
        assert 0.24 < losses[-1] < 0.27, run


def test_the_cell_of_the_data_reads_the_file_in_the_package():
    before = dict(d2l.DATA_HUB)
    names = {"d2l": d2l, "np": np, "torch": SimpleNamespace(from_numpy=lambda array: array)}
    exec(DATA, names)
    assert before == d2l.DATA_HUB, "the entry is there from the start"
    data_iter, feature_dim = names["get_data_ch11"]()
    assert feature_dim == 5
    for found, expected in zip(data_iter.arrays, tw.data.load_airfoil(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_evaluate_loss_is_the_mean_over_rows_of_any_shape_and_library():
    X, y = np.arange(5.0).reshape(5, 1), np.zeros(5)
    batches = d2l.load_array((X, y), 2)
    assert d2l.evaluate_loss(lambda X: X, batches, lambda a, b: (a - b) ** 2) == 6.0
    with pytest.raises(ValueError, match="data_iter gave no minibatch"):
        d2l.evaluate_loss(lambda X: X, [], d2l.squared_loss)


def test_an_optimizer_written_for_arrays_is_the_native_one(pyplot):
    X, y, _, _ = tw.data.synthetic(400, 3, seed=0)
    seen = []

    def sgd(params, states, hyperparams):
        seen.append([states, *(p.shape for p in params), *(p.grad.shape for p in params)])
        for p in params:
            p[:] -= hyperparams["lr"] * p.grad

    ends = []
    for optimizer in (sgd, d2l.sgd):
        batches = d2l.load_array((X, y), 400)
        ends.append(d2l.train_ch11(optimizer, "states", {"lr": 0.5}, batches, 3, 50)[1][-1])
    assert seen[0] == ["states", (3, 1), (1,), (3, 1), (1,)]
    assert len(seen) == 51, "a step to warm up, and one an epoch"
    assert ends[0] == pytest.approx(ends[1], rel=1e-5), "both are at the bottom"


def test_losses_are_recorded_for_every_batch_size_and_at_the_end(pyplot):
    X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
    for batch_size in (7, 64, 300, 1000):
        data_iter = d2l.load_array((X, y), batch_size)
        times, losses = d2l.train_ch11(d2l.sgd, None, {"lr": 0.01}, data_iter, 3, 2)
        assert len(losses) >= 2, batch_size
        assert times == sorted(set(times)), "each later than the one before"


def test_the_step_to_warm_up_leaves_the_states(pyplot):
    X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    states, hyperparams = [0], {"t": 0}

    def count(params, states, hyperparams):
        states[0] += 1
        hyperparams["t"] += 1

    d2l.train_ch11(count, states, hyperparams, d2l.load_array((X, y), 10), 3, 2)
    assert (states, hyperparams) == ([20], {"t": 20})


def test_rows_in_order_stay_in_order(pyplot):
    X = np.array([[1.0], [0.0]], np.float32)
    y = np.array([0.0, 1.0], np.float32)
    data_iter = d2l.load_array((X, y), 1, is_train=False)
    for _ in range(10):  # the other order ends at a loss of 1/2
        losses = d2l.train_ch11(d2l.sgd, None, {"lr": 1.0}, data_iter, 1, 1)[1]
        assert losses[-1] == pytest.approx(0.25, abs=0.1)


def test_the_curve_is_drawn_whole_whatever_its_height(pyplot, monkeypatch):
    animators = []

    class Seen(d2l.Animator):
        def _show(self):
            animators.append(self)

    monkeypatch.setattr(d2l.training, "Animator", Seen)
    X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
    _, losses = d2l.train_ch11(d2l.sgd, None, {"lr": 0.05}, d2l.load_array((X, 9 * y), 10), 3)
    (animator,) = animators  # drawn once
    low, high = animator.ax.get_ylim()
    assert low <= min(losses) <= max(losses) <= high
    assert animator.X[0][-1] == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda it: d2l.train_ch11(d2l.sgd, None, {}, it, 3), "must have the learning rate"),
        (lambda it: d2l.train_ch11(d2l.sgd, None, {"lr": 0.1}, it, 4), "feature_dim=4 does not"),
        (lambda it: d2l.train_ch11(d2l.sgd, None, {"lr": 0.1}, it, 3, 0), "num_epochs=0"),
        (lambda it: d2l.train_concise_ch11("sgd", {}, it), "must have the learning rate"),
        (lambda it: d2l.train_concise_ch11("sgd", {"lr": 1, "eps": 1}, it), "no hyperparameter"),
        (lambda it: d2l.train_concise_ch11("sgd", {"lr": 1}, [it]), "is not of get_data_ch11"),
        (lambda it: d2l.load_array(it.arrays, 0), "batch_size=0"),
        (lambda it: d2l.load_array((it.arrays[0], [1]), 2), r"have \[100, 1\] rows"),
    ],
)
def test_bad_arguments_are_named(call, message, pyplot):
    X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    with pytest.raises((TypeError, ValueError), match=message):
        call(d2l.load_array((X, y), 10))


def test_concise_takes_names_and_classes(pyplot):
    X, y, _, _ = tw.data.synthetic(500, 3, seed=0)
    data_iter = d2l.load_array((X, y), 50)

    class Adam:
        pass

    for optimizer in (Adam, "adam", tw.Optimizer("adam")):
        assert d2l.train_concise_ch11(optimizer, {"lr": 0.1}, data_iter, 10)[1][-1] < 0.1


def test_concise_sgd_takes_a_momentum_as_pytorch_does(pyplot):
    X, y, _, _ = tw.data.synthetic(500, 3, seed=0)
    ends = []
    for name in ("sgd", "momentum"):
        np.random.seed(0)
        data_iter = d2l.load_array((X, y), 50)
        ends.append(d2l.train_concise_ch11(name, {"lr": 0.01, "momentum": 0.9}, data_iter)[1])
    assert ends[0] == ends[1]


def test_unknown_names():
    with pytest.raises(ValueError, match="name='iris' is not in the package"):
        d2l.download("iris")
    with pytest.raises(AttributeError, match="no attribute 'resnet18'"):
        d2l.resnet18  # noqa: B018
