"""A linear model in training: step by step, epoch by epoch, or a whole fit."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from tilewise._checks import Array
from tilewise.data.dataset import Dataset
from tilewise.distributed.job import fit_on_ranks
from tilewise.distributed.ranks import agreed
from tilewise.training import checkpoint as checkpoint_file
from tilewise.training.history import History
from tilewise.training.loop import train
from tilewise.training.native import step
from tilewise.training.optimizers import Optimizer
from tilewise.training.settings import FitOptions, Rate, Settings, passed
from tilewise.training.sources import InMemory, Streamed
from tilewise.training.state import State

Maybe = ArrayLike | None
_ONE_EPOCH = FitOptions()


class Trainer:
    """Linear regression ``y = X w + b`` in training.

    A step takes a batch and gives the optimizer the gradient of half the squared error, averaged
    over the batch: ``X_b.T @ (X_b @ w + b - y_b) / len(X_b)`` (d2l.ai, equation 12.5.2).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_targets : int, optional
        Columns of a two-dimensional y. By default y has one dimension.
    batch_size : int, default 32
        Rows in a step of `run_epoch` and `fit`; all or more is gradient descent.
    learning_rate : float, 'auto', tilewise.schedules.Schedule or callable, default 0.01
        A callable is given the number of the step, from 0, and asked some 4096 steps ahead. 'auto'
        is half the largest rate below which minibatch SGD contracts, from the first data seen; see
        `tilewise.training.auto_rate`.
    optimizer : str or Optimizer, default 'sgd'
        See `tilewise.Optimizer`.
    sampling : {'permutation', 'replacement', 'sequential', 'chunked'}, default 'permutation'
        An exact uniform permutation for each epoch, n draws with replacement, the rows in order,
        or chunks of 256 KiB in random order with their rows shuffled, which reads data larger than
        the cache in long runs.
    weight_decay : float, default 0
        Times the weights, not the bias, is added to the gradient.
    clip_norm : float, optional
        The gradient is scaled down to this Euclidean norm where it is longer, before the weight
        decay is added.
    average : bool, default False
        `weights` and `bias` are the mean of those after each step (Polyak and Juditsky, 1992).
    dtype : float32 or float64, default float32
        Of X, and of all computing.
    initial_weights : array_like, shape (n_features,) or (n_features, n_targets), optional
        By default normal with standard deviation 0.01. The bias starts at 0.
    seed : int, optional
        Fixes the initial weights and the order of the rows. By default a fresh one.

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type or value.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, weights, bias = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> trainer = tw.Trainer(3, batch_size=10, learning_rate=0.05, seed=0)
    >>> for epoch in range(5):
    ...     trainer.run_epoch(X, y)
    >>> bool(abs(trainer.weights - weights).max() < 1e-3)
    True
    """

    def __init__(
        self,
        n_features: int,
        *,
        n_targets: int | None = None,
        batch_size: int = 32,
        learning_rate: Rate = 0.01,
        optimizer: str | Optimizer = "sgd",
        sampling: str = "permutation",
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        average: bool = False,
        dtype: DTypeLike = np.float32,
        initial_weights: ArrayLike | None = None,
        seed: int | None = None,
    ) -> None:
        self._state = State(Settings(**passed(Settings, locals())), initial_weights)

    @property
    def settings(self) -> Settings:
        """All settings, as they were checked."""
        return self._state.settings

    @property
    def trained_on(self) -> dict[str, Any]:
        """What the checkpoint is to tell of the data, as JSON takes it."""
        return dict(self._state.trained_on)

    @trained_on.setter
    def trained_on(self, about: dict[str, Any]) -> None:
        self._state.trained_on = about

    @property
    def rows_into_epoch(self) -> int:
        """Rows of the next epoch that were done before a checkpoint."""
        return self._state.rows_into_epoch

    @property
    def learning_rate(self) -> Rate:
        """As it was set; 'auto' becomes a number with the first data."""
        return self.settings.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Rate) -> None:
        self.set_learning_rate(learning_rate)

    def set_learning_rate(self, learning_rate: Rate) -> None:
        """Set the learning rate of the next steps: see the class.

        Examples
        --------
        >>> trainer = Trainer(3)
        >>> trainer.set_learning_rate(0.5)
        >>> trainer.learning_rate
        0.5
        """
        self._state.set_rate(learning_rate)

    def step(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take one step, with all rows of `X` as the batch.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
        y : array_like, shape (n,) or (n, n_targets)
        sample_weight : array_like, shape (n,), optional
            How much each row counts, 0 or more. Divided by the mean of this call's, so that their
            scale changes nothing.

        Raises
        ------
        TypeError, ValueError
            `X` or `y` does not fit, or has NaN or infinity. Nothing is changed then.
        DivergenceError
            The step led to parameters that are not finite, and was taken back.

        Examples
        --------
        >>> import numpy as np
        >>> trainer = Trainer(1, dtype=np.float64, initial_weights=[0.0], learning_rate=1.0)
        >>> trainer.step(np.array([[1.0]]), np.array([2.0]))
        >>> trainer.weights, trainer.bias
        (array([2.]), 2.0)
        """
        step(self._state, self._state.settings.training_set(X, y, sample_weight))

    def run_epoch(
        self, X: ArrayLike | Dataset, y: Maybe = None, sample_weight: Maybe = None
    ) -> None:
        """Train for one epoch, in batches.

        `X` may be rows of `tilewise.open_rows`, alone. Parameters and errors are those of `step`,
        and RuntimeError in the middle of an epoch, which `fit` finishes. After a divergence the
        trainer has the last good weights of the epoch, or those before it.

        Examples
        --------
        >>> import tilewise as tw
        >>> X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
        >>> trainer = Trainer(3)
        >>> trainer.run_epoch(X, y)
        >>> trainer.examples
        100
        """
        if done := self._state.rows_into_epoch:
            raise RuntimeError(f"{done} rows of an epoch are done; call fit, which does the others")
        rows = self.settings.rows(X, y, sample_weight)
        if isinstance(rows, Dataset):
            train(self._state, Streamed(rows, self.settings.batch_size, records=False), _ONE_EPOCH)
        else:
            train(self._state, InMemory(rows), _ONE_EPOCH)

    def fit(
        self,
        X: ArrayLike | Dataset,
        y: ArrayLike | None = None,
        epochs: int = 1,
        *,
        sample_weight: ArrayLike | None = None,
        record_every: int | None = None,
        validation_fraction: float | None = None,
        patience: int | None = None,
        tolerance: float = 0.0,
        callbacks: Sequence[Callable[["Trainer", int, float], Any]] = (),
        progress: bool = False,
        verbose: bool = False,
        comm: Any = None,
        average_every: int = 1,
        checkpoint: Any = None,
        checkpoint_every: int = 1000,
    ) -> History:
        """Train for some epochs.

        Parameters
        ----------
        X, y, sample_weight
            As in `step`. Or X is rows of `tilewise.open_rows`, which says what goes with them.
        epochs : int, default 1
        record_every : int, optional
            Rows between two entries of the history: the loss over all rows. The end always has one.
            By default one in five of the epochs asked for, and at most a hundred: about a tenth of
            the work of a long training. Entries do not change the weights.
        validation_fraction : float, optional
            This part of the rows, drawn at random, is not trained on; the loss after each epoch is
            over it.
        patience : int, optional
            Stop after so many epochs without a lower loss, and keep the best weights.
        tolerance : float, default 0
            What a lower loss must be lower by, for `patience`.
        callbacks : sequence of callable
            ``callback(trainer, epoch, loss)`` after each epoch; a true value ends the training.
        progress : bool, default False
            Show a progress bar (needs tqdm).
        verbose : bool, default False
            Print a line after each epoch.
        comm : mpi4py.MPI.Intracomm, optional
            All ranks call this alike, each with rows of its own, and train one model: see
            docs/scale.md, also for what does not go with it. `batch_size` is that of all together.
        average_every : int, default 1
            Steps that each rank takes alone before models are averaged. 1: gradients are added up.
        checkpoint : str or path-like, optional
            File for `save` (by rank 0) every `checkpoint_every` steps and at the end. `fit` of the
            trainer that `load` returns goes on there: first with the rest of the epoch.

        Returns
        -------
        History

        Raises
        ------
        TypeError, ValueError
            An argument does not fit, or X or y has NaN or infinity. Nothing is changed then.
        DivergenceError
            The training diverged. The trainer and the error's `history` have the last good weights.
        KeyboardInterrupt
            After Ctrl-C, within some milliseconds; with a `history` too.

        Examples
        --------
        >>> import tilewise as tw
        >>> X, y, _, _ = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
        >>> history = tw.Trainer(3, learning_rate=0.5, seed=0).fit(X, y, epochs=10, patience=2)
        >>> bool(history.losses[-1] < 1e-3)
        True
        """
        with agreed(comm):
            options = FitOptions(**passed(FitOptions, locals()))
        return fit_state(self._state, X, y, sample_weight, options, trainer=self)

    def save(self, path: Any) -> None:
        """Write the whole state to one NPZ file: a trainer loaded from it goes on bit by bit.

        The file is written to a temporary name and renamed, so that `path` is either what it was
        or complete.

        Parameters
        ----------
        path : str or path-like
            Ending in ``.npz``. A file of that name is replaced.

        Raises
        ------
        TypeError
            The learning rate is a callable of your own.

        Examples
        --------
        >>> import tempfile, os
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.npz")
        ...     Trainer(3, seed=0).save(path)
        ...     Trainer.load(path).steps
        0
        """
        checkpoint_file.save(self._state, path)

    @classmethod
    def load(cls, path: Any) -> "Trainer":
        """Return the trainer that was saved to a file; see `save`.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            The file was not written by `save`, or is damaged.
        """
        trainer = cls.__new__(cls)
        trainer._state = checkpoint_file.load(path)
        return trainer

    @property
    def weights(self) -> Array:
        """A copy of the weights, shape (n_features,) or (n_features, n_targets)."""
        return self._state.weights

    @property
    def bias(self) -> Any:
        """The bias: a float, or an array of shape (n_targets,)."""
        return self._state.bias

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._state.steps

    @property
    def examples(self) -> int:
        """Rows seen so far."""
        return self._state.rows

    @property
    def epochs(self) -> int:
        """Epochs finished so far, by `run_epoch` and `fit`."""
        return self._state.epochs

    def predict(self, X: ArrayLike) -> Array:
        """Return ``X @ weights + bias``, shape (n,) or (n, n_targets).

        Examples
        --------
        >>> import numpy as np
        >>> import tilewise as tw
        >>> tw.Trainer(1, initial_weights=[2.0]).predict(np.float32([[3]]))
        array([6.], dtype=float32)
        """
        return self._state.predict(X)

    def loss(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return half the squared error, summed over targets and averaged over rows.

        Examples
        --------
        >>> import numpy as np
        >>> import tilewise as tw
        >>> tw.Trainer(1, initial_weights=[2.0]).loss(np.float32([[3]]), np.float32([5]))
        0.5
        """
        return self._state.loss(self.settings.training_set(X, y, sample_weight))


def fit_state(
    state: State,
    X: ArrayLike | Dataset,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    options: FitOptions,
    trainer: Trainer | None = None,
) -> History:
    """Train a model for some epochs; callbacks get `trainer`. See `Trainer.fit`."""
    if options.comm is not None or options.checkpoint is not None or state.rows_into_epoch:
        return fit_on_ranks(state, X, y, sample_weight, options)
    settings = state.settings
    rows, validation = settings.rows(X, y, sample_weight), None
    if isinstance(rows, Dataset):
        options.refuse_in_memory_only("rows of open_rows")
        streamed = Streamed(rows, settings.batch_size, records=True)
        return train(state, streamed, options).history(state)
    if options.validation_fraction is not None:
        rows, validation = rows.split(options.validation_fraction, settings.seed)
    in_memory = InMemory(rows, options.rows_between_records(len(rows.X)), validation)
    return train(state, in_memory, options, trainer).history(state)
