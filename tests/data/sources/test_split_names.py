import pytest

from keras_csg.data.sources.split_names import parse_splits, split_of


@pytest.mark.parametrize(
    "split, names",
    [
        (
            "train",
            "train Train TRAIN training Training training_set seg_train "
            "train_images trainset TrainData train-set trainImages",
        ),
        ("validation", "val Valid validation dev eval val_set VALID"),
        ("test", "test Test TESTING testing_set seg_test testset test_data"),
        (
            None,
            "cat batch1 train2 train_old trainer testament valley images "
            "devil pretest data masks",
        ),
    ],
)
def test_names_that_people_give_splits(split, names):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(
        names.split(), split
    )


def test_splits_as_a_user_says_them():
    said = {"train": "A b", "test": "C"}
    assert parse_splits("train=A b, test=C") == said
    assert parse_splits({"training": "A b", "test": "C"}) == said
    assert parse_splits(None) == {}


@pytest.mark.parametrize(
    "splits", ["", "train", "train=", "test=a", "a=b", "train=a,train=b", 7]
)
def test_splits_that_say_nothing_are_refused(splits):
    with pytest.raises(ValueError, match="`splits` must name the folder"):
        parse_splits(splits)
