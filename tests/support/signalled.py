"""Signals that come while the core trains."""

import os
import threading
import time
from contextlib import contextmanager

import pytest

from tilewise import _core


@contextmanager
def signalled(number, steps=1):
    """Send this process a signal as soon as the core has counted so many steps; give the times."""
    train, sent, ended = _core.train, [], threading.Event()
    threads = []

    def send(counters):
        while counters[0] < steps:
            if ended.is_set():
                return
            time.sleep(0)  # lets the other threads have Python's lock
        sent.append(time.perf_counter())
        os.kill(os.getpid(), number)

    def watched(*arguments):
        if not threads:
            threads.append(threading.Thread(target=send, args=[arguments[5]]))
            threads[0].start()
        return train(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_core, "train", watched)
        try:
            yield sent
        finally:
            ended.set()
            for thread in threads:
                thread.join()
