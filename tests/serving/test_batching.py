"""What the server does with requests that come at the same time."""

import threading

import numpy as np
import pytest

from keras_csg.serving.batching import MicroBatcher


class Doubling:
    """Doubles batches, once `go_on` is set; `ran` lists their shapes."""

    def __init__(self):
        self.ran = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, batch):
        self.begun.set()
        assert self.go_on.wait(30)
        self.ran.append(batch.shape)
        if (batch < 0).any():
            raise RuntimeError("negative")
        return {"double": batch * 2, "sum": batch.sum(axis=1)}


@pytest.fixture
def doubling():
    return Doubling()


@pytest.fixture
def batcher(doubling):
    """A batcher of at most 4 rows."""
    made = MicroBatcher(doubling, max_batch_size=4)
    yield made
    doubling.go_on.set()
    made.close()


def ask(batcher, *requests):
    """Asks while the first of them is being computed, so the others wait."""
    doubling = batcher._run
    answers = [batcher.submit(np.array(requests[0], "float32"))]
    assert doubling.begun.wait(30)
    answers += [batcher.submit(np.array(r, "float32")) for r in requests[1:]]
    doubling.go_on.set()
    return [answer.exception(30) or answer.result() for answer in answers]


ONE = [[0, 0]]


def test_each_request_gets_its_own_rows(batcher, doubling):
    _, first, second = ask(batcher, ONE, [[1, 2]], [[3, 4], [5, 6]])
    np.testing.assert_array_equal(first["double"], [[2, 4]])
    np.testing.assert_array_equal(first["sum"], [3])
    np.testing.assert_array_equal(second["double"], [[6, 8], [10, 12]])
    np.testing.assert_array_equal(second["sum"], [7, 11])
    assert doubling.ran == [(1, 2), (3, 2)]


def test_a_request_that_finds_nobody_waits_for_nobody(batcher, doubling):
    doubling.go_on.set()
    answer = batcher.submit(np.array([[1, 2]], "float32")).result(30)
    assert answer["sum"] == [3]
    assert doubling.ran == [(1, 2)]


def test_a_batch_holds_no_more_rows_than_it_may(batcher, doubling):
    threes = [[[n, n]] * 3 for n in range(3)]
    answers = ask(batcher, ONE, *threes, [[3, 3]])
    assert [answer["sum"].tolist() for answer in answers[1:]] == [
        [0, 0, 0],
        [2, 2, 2],
        [4, 4, 4],
        [6],
    ]
    assert doubling.ran == [(1, 2), (3, 2), (3, 2), (4, 2)]


def test_a_request_larger_than_a_batch_is_run_alone(batcher, doubling):
    ask(batcher, ONE, [[1, 1]] * 6, [[2, 2]])
    assert doubling.ran == [(1, 2), (6, 2), (1, 2)]


def test_requests_of_different_sizes_are_not_joined(batcher, doubling):
    _, first, second = ask(batcher, ONE, [[1, 2]], [[1, 2, 3]])
    assert first["sum"] == [3] and second["sum"] == [6]
    assert doubling.ran == [(1, 2), (1, 2), (1, 3)]


def test_a_request_that_makes_a_batch_fail_harms_no_other(batcher, doubling):
    _, first, failed, last = ask(batcher, ONE, [[1, 1]], [[-1, 0]], [[2, 1]])
    assert str(failed) == "negative"
    assert first["sum"] == [2] and last["sum"] == [3]
    assert doubling.ran[1:] == [(3, 2), (1, 2), (1, 2), (1, 2)]
    assert batcher.submit(np.array([[1, 2]])).result(30)["sum"] == [3]


def test_a_client_that_went_away_leaves_the_others_their_answers(
    batcher, doubling
):
    images = np.ones((1, 2), "float32")
    batcher.submit(images)
    assert doubling.begun.wait(30)
    leaving, staying = batcher.submit(images), batcher.submit(2 * images)
    assert batcher.waiting == 2
    leaving.cancel()
    doubling.go_on.set()
    assert staying.result(30)["sum"] == [4]


def test_what_waits_is_computed_before_the_end(batcher, doubling):
    images = np.ones((3, 2), "float32")
    answers = [batcher.submit(images) for _ in "123"]
    doubling.go_on.set()
    batcher.close()
    assert all(answer.done() for answer in answers)
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(images)
