"""Programs that the tests start with mpiexec: ``on_ranks.py PROGRAM ARGUMENT ..``."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import numpy as np
from mpi4py import MPI

import tilewise as tw
from tests.support.ranks import D, N, parts, settings, table
from tilewise.commands import cli
from tilewise.distributed.local_rows import LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.distributed.steps import averaged_steps

COMM = MPI.COMM_WORLD


def own():
    """Return the rows of this rank."""
    X, y = table()
    rows = parts(COMM.size)[COMM.rank]
    return X[rows], y[rows]


def result(history):
    return {"weights": history.weights, "bias": history.bias, "losses": history.losses}


def fits(folder):
    """Train in several ways, in memory and on shards."""
    X, y = own()
    momentum = tw.Optimizer("momentum", momentum=0.5)
    ways = {
        "sgd": {},
        "adam": {"optimizer": "adam", "weight_decay": 0.01, "clip_norm": 1.0},
        "average": {"average": True, "batch_size": 7},
        "object": {"learning_rate": partial(constant, 0.05)},
        "few rows": {"batch_size": 5, "learning_rate": 0.01},
        "full": {"batch_size": 10 * N, "sampling": "permutation", "optimizer": momentum},
    }
    for name, changed in ways.items():
        yield name, tw.fit(X, y, epochs=3, comm=COMM, **settings(**changed))
    yield "auto", tw.fit(X, y, epochs=40, comm=COMM, **settings(learning_rate="auto"))
    begun = tw.Trainer(D, dtype=np.float64, optimizer="adam", **settings())
    if COMM.rank > 0:
        begun.fit(X, y, 2)  # of no account: rank 0 has the model
    yield "adam of rank 0", begun.fit(X, y, 3, comm=COMM)
    yield "local", tw.fit(X, y, epochs=3, comm=COMM, average_every=4, **settings())
    shard = Path(folder, f"{COMM.rank}.npy")
    np.save(shard, np.column_stack([X, y]))
    rows = tw.open_rows(shard, buffer_bytes=6000)
    yield "shards", tw.fit(rows, epochs=3, comm=COMM, **settings())
    chunked = settings(sampling="permutation", learning_rate=0.02)
    yield "shuffled shards", tw.fit(rows, epochs=20, comm=COMM, **chunked)


def averaged_each_step():
    """Train synchronously but by averages after each step: for plain SGD the same."""
    import tilewise.distributed.job as job

    job.synchronous_steps = partial(averaged_steps, every=1)
    yield "averaged", tw.fit(*own(), epochs=3, comm=COMM, **settings())


def programs(folder, *names):
    """Run programs and write what they give, for each rank."""
    found = {"fits": lambda: fits(folder), "averaged_each_step": averaged_each_step}
    results = {
        f"{program}/{name}/{key}": value
        for program in names
        for name, history in found[program]()
        for key, value in result(history).items()
    }
    np.savez(Path(folder, f"result{COMM.rank}.npz"), **results)


def fail(how, *_):
    """Fail on the last rank alone, in some way, and say what each rank raised."""
    X, y = own()
    if how == "diverge":
        return attempt(X, y, learning_rate=1e5)
    if how == "rate":
        return attempt(X, y, learning_rate=rate)
    if how == "rates":
        rates = [lambda step: 0.1, lambda step: 0.2]
        return attempt(X, y, learning_rate=rates[COMM.rank == COMM.size - 1])
    if how == "caught":
        return caught_on_one_rank(X, y)
    if how == "between":
        attempt(X, y)
        if COMM.rank == COMM.size - 1:
            raise KeyError("my own fault")
        return attempt(X, y)
    if COMM.rank < COMM.size - 1:
        return attempt(X, y)
    if how == "nan":
        X[7, 2] = np.nan
        return attempt(X, y)
    if how == "shard":
        y[-1] = np.nan  # found in the middle of an epoch
        np.save(sys.argv[3], np.column_stack([X, y]))
        return attempt(tw.open_rows(sys.argv[3], buffer_bytes=6000), None)
    if how == "outside":
        Ranks.allreduce = pull_the_cable
    changed = {
        "width": lambda: attempt(X[:, 1:].copy(), y),
        "dtype": lambda: attempt(X.astype(np.float32), y.astype(np.float32)),
        "empty": lambda: attempt(X[:0], y[:0]),
        "batch": lambda: attempt(X, y, batch_size=16),
        "missing": lambda: attempt(None, None),
        "setting": lambda: attempt(X, y, optimizer="sdg"),
        "option": lambda: attempt(X, y, average_every=0),
        "outside": lambda: attempt(X, y),
    }
    return changed[how]()


def attempt(X, y, **changed):
    try:
        tw.fit(X, y, epochs=3, comm=COMM, **settings(**changed))
    except Exception as error:
        print(f"{COMM.rank}|{type(error).__name__}|{error}", flush=True)


def caught_on_one_rank(X, y):
    """Let the rank whose fault it is go on, alone."""
    if COMM.rank == COMM.size - 1:
        X[7, 2] = np.nan
        attempt(X, y)
    tw.fit(X, y, epochs=3, comm=COMM, **settings())


def constant(rate, step):
    return rate


def rate(step):
    if step == 5 and COMM.rank == COMM.size - 1:
        raise ValueError("no rate today")
    return 0.1


def pull_the_cable(ranks, array):
    """Raise where the others do not know of it."""
    raise RuntimeError("a cable was pulled")


PLACES = {
    "in a step": (Ranks, "allreduce"),
    "before a checkpoint is written": (np, "savez"),  # its file is open, and empty
    "before a checkpoint is on the disk": (os, "fsync"),
    "before a checkpoint has its name": (os, "replace"),
}


def stand_still(place, count):
    """Have rank 0 say that it is at a place, for the time given, and stay there until killed."""
    if COMM.rank > 0:
        return
    owner, name = PLACES[place]
    if place == "in a step" and COMM.size == 1:
        owner, name = LocalRows, "take_steps"
    call, before = getattr(owner, name), iter(range(int(count) - 1))

    def counted(*arguments, **options):
        if owner is LocalRows:  # one at a time
            rows, steps = arguments
            arguments = rows, steps[:1]
        if next(before, None) is None:
            os.write(1, b"there\n")
            while True:
                signal.pause()
        return call(*arguments, **options)

    setattr(owner, name, counted)


def command(place, count, *arguments):
    """Run the command line until it is killed."""
    stand_still(place, count)
    cli.main(arguments)


def train(checkpoint, epochs, every, out, *place):
    """Train from the checkpoint on, if there is one, until so many epochs are done."""
    if place:
        stand_still(*place)
    X, y = own()
    slow = tw.schedules.Exponential(0.02, decay=1e-5)
    if os.path.exists(checkpoint):
        trainer = tw.Trainer.load(checkpoint)
    else:
        changed = settings(sampling="permutation", learning_rate=slow, batch_size=8)
        trainer = tw.Trainer(D, dtype=np.float64, optimizer="momentum", **changed)
    os.write(1, f"{COMM.rank} {os.getpid()} {trainer.steps}\n".encode())  # whole, at once
    left = int(epochs) - trainer.epochs
    if left > 0:
        comm = COMM if COMM.size > 1 else None
        trainer.fit(X, y, left, comm=comm, checkpoint=checkpoint, checkpoint_every=int(every))
    if COMM.rank == 0:
        np.savez(out, weights=trainer.weights, bias=trainer.bias, steps=trainer.steps)


if __name__ == "__main__":
    tw.set_num_threads(1)
    globals()[sys.argv[1]](*sys.argv[2:])
