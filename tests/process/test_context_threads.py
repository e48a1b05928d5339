"""tilewise.threads() holds in its own thread or task; set_num_threads holds for the process."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tilewise as tw
from tests.support.threads import process_threads
from tilewise import _core

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def six():
    with process_threads(6):
        yield


def numbers():
    """Return what Python and a call see."""
    return tw.get_num_threads(), _core.free_threads(99)


def test_the_number_of_the_context():
    with tw.threads(3):
        assert numbers() == (3, 3)
        with tw.threads(9):
            assert numbers() == (9, 9), "more than the process's"
        assert numbers() == (3, 3)
        tw.set_num_threads(5)
        assert numbers() == (3, 3), "the process's number is another"
        assert _core.get_num_threads() == 5
    assert numbers() == (5, 5)


def test_it_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), tw.threads(3):
        raise ZeroDivisionError
    assert numbers() == (6, 6)


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (1025, ValueError), ("2", TypeError)])
def test_a_wrong_number_is_refused(n, error):
    with pytest.raises(error, match="n="), tw.threads(n):
        pass
    assert numbers() == (6, 6)


def test_other_threads_have_the_number_of_the_process():
    with tw.threads(3), ThreadPoolExecutor(1) as executor:
        assert executor.submit(numbers).result() == (6, 6)
        inherited = contextvars.copy_context()
        assert executor.submit(inherited.run, numbers).result() == (3, 3)


def test_threads_do_not_meet():
    both = threading.Barrier(2)
    seen = {}

    def work(n):
        with tw.threads(n):
            both.wait(60)
            seen[n] = numbers()
            both.wait(60)

    threads = [threading.Thread(target=work, args=[n]) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {2: (2, 2), 3: (3, 3)}


def test_tasks_do_not_meet():
    async def work(n, turn, next_turn):
        with tw.threads(n):
            await turn.wait()
            next_turn.set()
            return numbers()

    async def together():
        first, second = asyncio.Event(), asyncio.Event()
        with tw.threads(4):
            inherits = asyncio.create_task(asyncio.to_thread(numbers))
        tasks = [
            asyncio.create_task(work(n, *turns))
            for n, turns in [(2, (first, second)), (3, (second, asyncio.Event()))]
        ]
        await asyncio.sleep(0)  # both are inside
        outside = numbers()
        first.set()
        return await inherits, outside, await asyncio.gather(*tasks)

    assert asyncio.run(together()) == ((4, 4), (6, 6), [(2, 2), (3, 3)])


def test_a_generator_sets_it_for_its_caller():
    def generate():
        with tw.threads(3):
            yield numbers()
        yield numbers()

    both = generate()
    assert next(both) == numbers() == (3, 3)
    assert next(both) == numbers() == (6, 6)


def test_products_and_fits_know_it():
    A = np.ones((300, 300), np.float32)

    class Wrapper:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            found.append(_core.free_threads(99))
            return A

    found = []
    rates = []

    def rate(step):
        with tw.threads(2):
            tw.matmul(A, A)
            rates.append(_core.free_threads(99))
        rates.append(_core.free_threads(99))
        return 1e-9

    with tw.threads(3):
        assert tw.explain(3000, 3000, 3000).threads == 3
        tw.matmul(Wrapper(), A)
        tw.fit(A, A[0], epochs=1, batch_size=300, learning_rate=rate, seed=0)
    assert found == [3]
    assert set(rates[::2]) == {2}
    assert set(rates[1::2]) == {3}
