"""Training on several processes, by MPI."""

from tilewise.distributed.alike import check_alike
from tilewise.distributed.fit import fit_on_ranks
from tilewise.distributed.ranks import RankError, Ranks

__all__ = ["RankError", "Ranks", "check_alike", "fit_on_ranks"]
