"""Training on rows that are read meanwhile."""

from tilewise.streaming.buffers import Buffers
from tilewise.streaming.epoch import check_rows, refuse, stream_epoch, stream_fit
from tilewise.streaming.progress import bar_of_bytes

__all__ = ["Buffers", "bar_of_bytes", "check_rows", "refuse", "stream_epoch", "stream_fit"]
