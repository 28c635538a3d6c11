"""What the served example does with requests that come at the same time."""

import asyncio
import importlib.util
import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent
PATH = ROOT / "examples" / "serve_with_kserve" / "micro_batching.py"


@pytest.fixture
def batcher():
    """A batcher of at most 4 rows; `batcher.ran` lists what it computed."""
    spec = importlib.util.spec_from_file_location("micro_batching", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ran = []

    def double(batch):
        ran.append(batch.shape)
        if (batch < 0).any():
            raise RuntimeError("negative")
        return [batch * 2, batch.sum(axis=1)]

    made = module.MicroBatcher(double, max_batch_size=4)
    made.ran = ran
    return made


def ask(batcher, *requests):
    async def together():
        return await asyncio.gather(
            *[batcher.answer(np.array(r, "float32")) for r in requests],
            return_exceptions=True,
        )

    return asyncio.run(together())


def test_each_request_gets_its_own_rows(batcher):
    first, second = ask(batcher, [[1, 2]], [[3, 4], [5, 6]])
    np.testing.assert_array_equal(first[0], [[2, 4]])
    np.testing.assert_array_equal(first[1], [3])
    np.testing.assert_array_equal(second[0], [[6, 8], [10, 12]])
    np.testing.assert_array_equal(second[1], [7, 11])
    assert batcher.ran == [(3, 2)]


def test_a_batch_holds_no_more_rows_than_it_may(batcher):
    answers = ask(batcher, *[[[n, n]] * 3 for n in range(3)], [[3, 3]])
    assert [answer[1].tolist() for answer in answers] == [
        [0, 0, 0],
        [2, 2, 2],
        [4, 4, 4],
        [6],
    ]
    assert batcher.ran == [(3, 2), (3, 2), (4, 2)]


def test_a_request_larger_than_a_batch_is_run_alone(batcher):
    ask(batcher, [[1, 1]] * 6, [[2, 2]])
    assert batcher.ran == [(6, 2), (1, 2)]


def test_requests_of_different_sizes_are_not_joined(batcher):
    first, second = ask(batcher, [[1, 2]], [[1, 2, 3]])
    assert first[1] == [3] and second[1] == [6]
    assert batcher.ran == [(1, 2), (1, 3)]


def test_a_failed_batch_is_told_to_all_in_it_and_the_next_runs(batcher):
    failed = ask(batcher, [[-1, 0]], [[1, 1]])
    assert [str(error) for error in failed] == ["negative", "negative"]
    (answer,) = ask(batcher, [[1, 2]])
    assert answer[1] == [3]


def test_a_client_that_went_away_leaves_the_others_their_answers(batcher):
    async def one_leaves():
        images = np.ones((1, 2), "float32")
        leaving, staying = (
            asyncio.create_task(batcher.answer(n * images)) for n in (1, 2)
        )
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(one_leaves())[1] == [4]


def test_requests_join_while_a_batch_is_computed(batcher):
    double = batcher.run
    started, go_on = asyncio.Event(), asyncio.Event()

    async def in_turns():
        loop = asyncio.get_running_loop()

        def slowly(batch):
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
            return double(batch)

        batcher.run = slowly
        images = np.ones((1, 2), "float32")
        first = asyncio.create_task(batcher.answer(images))
        await started.wait()
        others = [asyncio.create_task(batcher.answer(images)) for _ in "123"]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *others)

    asyncio.run(in_turns())
    assert batcher.ran == [(1, 2), (3, 2)]
