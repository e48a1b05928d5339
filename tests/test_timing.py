"""The timer, on a clock that the tests move."""

import pytest

import tilewise as tw

pytestmark = pytest.mark.once


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose last entry is the time now."""
    times = [100.0]
    monkeypatch.setattr("tilewise.timing.perf_counter", lambda: times[-1])
    return times


def test_runs_from_construction(clock):
    timer = tw.Timer()
    clock.append(103.0)
    assert timer.stop() == 3.0
    assert timer.times == [3.0]


def test_laps_leave_out_the_time_between_them(clock):
    timer = tw.Timer()
    for start, stop in [(110.0, 111.0), (120.0, 124.0), (130.0, 130.0)]:
        clock.append(start)
        assert timer.start() is timer
        clock.append(stop)
        timer.stop()
    assert timer.times == [1.0, 4.0, 0.0]
    assert timer.sum() == 5.0
    assert timer.avg() == pytest.approx(5 / 3)
    assert timer.cumsum() == [1.0, 5.0, 5.0]


def test_with_times_the_block_as_one_lap(clock):
    timer = tw.Timer()
    clock.append(200.0)
    with timer as entered:
        clock.append(202.0)
    assert entered is timer
    assert timer.times == [2.0]
    with timer:
        clock.append(203.0)
    assert timer.times == [2.0, 1.0]


def test_a_block_may_stop_the_timer_itself(clock):
    with tw.Timer() as timer:
        clock.append(101.0)
        timer.stop()
        clock.append(150.0)
    assert timer.times == [1.0]


def test_a_block_that_raises_leaves_no_lap(clock):
    timer = tw.Timer()
    with pytest.raises(ZeroDivisionError), timer:
        clock.append(101.0)
        1 / 0  # noqa: B018
    assert timer.times == []
    with pytest.raises(RuntimeError, match="not running"):
        timer.stop()


def test_stop_needs_a_lap_in_progress(clock):
    timer = tw.Timer()
    timer.stop()
    with pytest.raises(RuntimeError, match=r"not running; call start\(\)"):
        timer.stop()
    assert timer.times == [0.0]


def test_without_laps(clock):
    timer = tw.Timer()
    assert timer.sum() == 0.0
    assert timer.cumsum() == []
    with pytest.raises(RuntimeError, match="no laps"):
        timer.avg()


def test_the_clock_is_monotonic():
    import time

    from tilewise import timing

    assert timing.perf_counter is time.perf_counter
    assert time.get_clock_info("perf_counter").monotonic
