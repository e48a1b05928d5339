"""Rows that are read while the model trains: data larger than memory."""

from tilewise.streaming.epoch import DEFAULT_BUFFER_BYTES, stream_epoch, stream_fit
from tilewise.streaming.open import open_rows
from tilewise.streaming.source import Rows

__all__ = ["DEFAULT_BUFFER_BYTES", "Rows", "open_rows", "stream_epoch", "stream_fit"]
