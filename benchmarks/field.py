"""The contestants that run, those that do not, and why."""

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.products import DTYPES, Product
from benchmarks.rival import OURS, RIVALS
from benchmarks.worker import EndedError, SkippedError, Worker

# What OpenBLAS can be told to use; a CPU that lacks the instructions ends the process, which is
# then no candidate. A build without some of them falls back to another, which it reports.
_CORES = ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids")
_JUDGE = [Product("judge", (768, 768), (768, 768), dtype) for dtype in DTYPES]


@dataclass
class Field:
    """A process for each contestant, with a number of threads.

    Attributes
    ----------
    workers : list of Worker
        Those that run, in the order of their turns.
    skipped : dict of str
        Why others did not start, by name.
    failed : dict of str
        Why others ended, and in which case, by name.
    """

    workers: list[Worker] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> Worker:
        """Return tilewise."""
        return next(worker for worker in self.workers if worker.name == OURS)

    def enter(
        self, names: Iterable[str], threads: int = 1, core: dict[str, str] | None = None
    ) -> None:
        """Start contestants, all at once.

        Parameters
        ----------
        names : iterable of str
            Of `RIVALS`; tilewise takes the first turn.
        threads : int, default 1
        core : dict of str, optional
            The variable that "numpy-best" and "scipy", with the same library, are started with.

        Raises
        ------
        SkippedError
            tilewise does not start.
        """
        in_order = sorted(names, key=lambda name: (name != OURS, list(RIVALS).index(name)))
        started = [
            Worker(n, threads, core if n in ("numpy-best", "scipy") else None) for n in in_order
        ]
        for worker in started:
            try:
                worker.wait()
            except SkippedError as reason:
                worker.close()
                if worker.name == OURS:
                    raise
                self.skipped[worker.name] = str(reason)
            else:
                self.workers.append(worker)

    def about(self) -> dict[str, dict[str, str]]:
        """Return how each is set up; one that cannot tell is left out: its figures mean nothing."""
        found = {}
        for worker in list(self.workers):
            try:
                found[worker.name] = worker.about()
            except (SkippedError, ArithmeticError) as reason:
                self.leave_out(worker, "its first product", reason, for_good=True)
        return found

    def leave_out(
        self, worker: Worker, when: str, reason: Exception, *, for_good: bool = False
    ) -> str:
        """Do without a rival, from now on if asked to or if its process has ended; say why.

        Raises
        ------
        Exception
            The reason, if it is tilewise: there is nothing to compare with.
        """
        if worker.name == OURS:
            raise reason
        if for_good or isinstance(reason, EndedError):
            self.workers.remove(worker)
            self.failed[worker.name] = f"{reason}, in {when}"
            worker.close()
        return str(reason)

    def __enter__(self) -> "Field":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.close()


def best_core() -> dict[str, str]:
    """Return the variable with which NumPy's OpenBLAS is fastest on one thread of this CPU.

    Raises
    ------
    SkippedError
        It picks its best by itself, or is another library.
    """
    variables = [{"OPENBLAS_CORETYPE": core} if core else {} for core in ("", *_CORES)]
    workers = [Worker("numpy", environment=variable) for variable in variables]
    candidates: dict[str, tuple[float, dict[str, str]]] = {}
    for worker, variable in zip(workers, variables, strict=True):
        with suppress(EndedError):
            worker.wait()
            kernels = worker.about()["kernels"]
            if kernels not in candidates:
                candidates[kernels] = _judge(worker), variable
        worker.close()
    kernels = min(candidates, key=lambda name: candidates[name][0], default="none")
    if not kernels.startswith("openblas"):
        raise SkippedError(f"NumPy has no OpenBLAS: {kernels}")
    _, variable = candidates[kernels]
    if not variable:
        raise SkippedError(f"the installed one picks its best already: {kernels}")
    return variable


def _judge(worker: Worker) -> float:
    """Return a time: the product of the best ones of both dtypes; without end if it fails."""
    try:
        best = []
        for case in _JUDGE:
            worker.load(case)
            best.append(min(worker.sample(3)[0] for _ in range(5)))
    except (SkippedError, ArithmeticError):
        return math.inf
    return math.prod(best)
