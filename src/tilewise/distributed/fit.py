"""What `Trainer.fit` does with a communicator or a checkpoint."""

from typing import Any

from numpy.typing import ArrayLike

from tilewise._checks import check_bool, check_int
from tilewise.data.dataset import Rows
from tilewise.data.training_set import Examples
from tilewise.distributed.alike import make_alike
from tilewise.distributed.job import Job, JobOptions
from tilewise.distributed.ranks import Ranks
from tilewise.training.history import History
from tilewise.training.progress import bar_of_bytes
from tilewise.training.state import Engine
from tilewise.training.streaming import refuse

__all__ = ["fit_on_ranks"]


def fit_on_ranks(
    engine: Engine,
    X: ArrayLike | Rows,
    y: ArrayLike | None,
    epochs: Any,
    ranks: Ranks,
    options: tuple[Any, Any, Any],
    progress: Any,
    **refused: Any,
) -> History:
    """Train the engines of all ranks alike, each on its own rows; `options` are of `JobOptions`."""

    def prepared() -> tuple[Examples | Rows, JobOptions, int, bool]:
        refuse(refused, "comm or checkpoint")
        if isinstance(X, Rows):
            refuse({"y": y}, "rows of open_rows")
        data = X if isinstance(X, Rows) else engine.config.examples(X, y, None)
        checked = JobOptions.checked(engine, *options)
        return data, checked, check_int("epochs", epochs), check_bool("progress", progress)

    try:
        with engine.alone():
            data, checked, epochs, progress = ranks.together(prepared)
            settings = {
                "epochs": epochs,
                "average_every": checked.average_every,
                "checkpoint_every": checked.checkpoint_every,
                "checkpoint": checked.checkpoint is not None,
            }
            make_alike(engine, ranks, settings)
            job = Job(engine, data, ranks, checked)
            with bar_of_bytes(progress and ranks.rank == 0, epochs * job.epoch_bytes) as advance:
                return job.fit(epochs, advance)
    except BaseException as error:
        ranks.abort_unless_agreed(error)
        raise
