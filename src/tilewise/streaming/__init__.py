"""Training on rows that are read meanwhile."""

from tilewise.streaming.epoch import stream_epoch, stream_fit

__all__ = ["stream_epoch", "stream_fit"]
