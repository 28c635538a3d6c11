import keras
import pytest

from keras_csg.models import GateScheduler, schedules
from keras_csg.models.schedules import (
    AlternatingSchedule,
    JointSchedule,
    PathWeights,
)
from tests.tiny import ListedSchedule, tiny_classifier, tiny_data


@keras.saving.register_keras_serializable(package="tests")
def both_paths(epoch):
    return PathWeights(1, 1)


class Unregistered(schedules.Schedule):
    def __call__(self, epoch):
        return PathWeights(1, 1)


@keras.saving.register_keras_serializable(package="tests")
class NotFromConfig:
    def __call__(self, epoch):
        return PathWeights(1, 1)

    def get_config(self):
        return {}


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
    assert schedules.get(both_paths) is both_paths


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


@pytest.mark.parametrize(
    "schedule",
    [
        {0: PathWeights(1, 1)}.get,
        lambda epoch: PathWeights(1, 1),
        len,
        JointSchedule().__call__,
        Unregistered(),
        NotFromConfig(),
        JointSchedule,
    ],
    ids=["get", "lambda", "builtin", "method", "class", "one way", "a class"],
)
def test_what_a_saved_model_could_not_be_loaded_with_is_refused(schedule):
    with pytest.raises(ValueError, match="register_keras_serial") as error:
        schedules.get(schedule)
    assert "\n" not in str(error.value)


def test_one_that_is_set_later_is_looked_at_as_well():
    model = tiny_classifier()
    model.schedule = "alternating"
    assert isinstance(model.schedule, AlternatingSchedule)
    with pytest.raises(ValueError, match="a saved model can be loaded with"):
        model.schedule = lambda epoch: (1, 1)
    assert isinstance(model.schedule, AlternatingSchedule)


def test_a_registered_schedule_is_saved_and_loaded(tmp_path):
    for number, schedule in enumerate(
        (ListedSchedule([(1, 0), (0.5, 1)]), both_paths)
    ):
        path = tmp_path / f"{number}.keras"
        tiny_classifier(schedule=schedule).save(path)
        loaded = keras.saving.load_model(path).schedule
        assert [loaded(e) for e in range(3)] == [schedule(e) for e in range(3)]


@pytest.mark.parametrize("given", [None, 1, (1, "a"), (1, -1), (1, 2, 3)])
def test_what_is_no_pair_of_weights_is_said_in_one_line(given):
    with pytest.raises(ValueError, match="two weights of at least 0") as error:
        schedules.weights_at(lambda epoch: given, 7)
    assert "of epoch 7" in str(error.value) and "\n" not in str(error.value)


def test_a_callback_takes_any_callable():
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    given = {0: PathWeights(1, 0)}.get
    with pytest.warns(UserWarning, match="no epoch trained the gated path"):
        model.fit(*tiny_data(8), callbacks=[GateScheduler(given)], verbose=0)
    assert model.path_weights.numpy().tolist() == [1, 0]
