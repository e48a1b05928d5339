"""Signals that come while the core trains."""

import os
import threading
import time
from contextlib import contextmanager

import pytest

from tilewise.training import sources


@contextmanager
def signalled(number, steps=1):
    """Send this process a signal as soon as the core has counted so many steps; give the times."""
    run, sent, ended = sources.run, [], threading.Event()
    threads = []

    def send(state):
        while state.steps < steps:
            if ended.is_set():
                return
            time.sleep(0)  # lets the other threads have Python's lock
        sent.append(time.perf_counter())
        os.kill(os.getpid(), number)

    def watched(state, *arguments):
        if not threads:
            threads.append(threading.Thread(target=send, args=[state]))
            threads[0].start()
        return run(state, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "run", watched)
        try:
            yield sent
        finally:
            ended.set()
            for thread in threads:
                thread.join()
