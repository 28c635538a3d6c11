import keras
import pytest

from keras_csg.models import schedules
from keras_csg.models.schedules import (
    AlternatingSchedule,
    JointSchedule,
    PathWeights,
)

STANDARD, GATED, BOTH = PathWeights(1, 0), PathWeights(0, 1), PathWeights(1, 1)


def test_joint_trains_both_paths_after_the_warm_up():
    assert [JointSchedule(1)(e) for e in range(3)] == [STANDARD, BOTH, BOTH]


def test_alternating_gates_one_epoch_in_each_period():
    schedule = AlternatingSchedule(warmup=2, period=3)
    assert [schedule(e) for e in range(9)] == [
        STANDARD,
        STANDARD,
        GATED,
        STANDARD,
        STANDARD,
        GATED,
        STANDARD,
        STANDARD,
        GATED,
    ]


@pytest.mark.parametrize(
    "schedule", [JointSchedule(2), AlternatingSchedule(1, 4)]
)
def test_a_schedule_serialises(schedule):
    config = keras.saving.serialize_keras_object(schedule)
    twin = schedules.get(config)
    assert type(twin) is type(schedule)
    assert [twin(e) for e in range(9)] == [schedule(e) for e in range(9)]


def test_a_schedule_is_found_by_name_or_is_a_callable():
    assert isinstance(schedules.get("joint"), JointSchedule)
    assert isinstance(schedules.get("alternating"), AlternatingSchedule)
    assert schedules.get(len) is len


@pytest.mark.parametrize("identifier", ["both", 3, None])
def test_an_unknown_schedule_lists_the_known(identifier):
    with pytest.raises(ValueError, match="'joint', 'alternating'"):
        schedules.get(identifier)


@pytest.mark.parametrize(
    "kind, kwargs, match",
    [
        (JointSchedule, {"warmup": -1}, "warmup=-1"),
        (AlternatingSchedule, {"period": 1}, "period=1"),
        (AlternatingSchedule, {"warmup": 1.5}, "warmup=1.5"),
    ],
)
def test_impossible_schedules_are_refused(kind, kwargs, match):
    with pytest.raises(ValueError, match=match):
        kind(**kwargs)
