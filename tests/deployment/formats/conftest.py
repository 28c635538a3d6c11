import pytest

from tests.deployment.trained import trained_classifier


@pytest.fixture(scope="module")
def model():
    return trained_classifier(class_names=["a", "b", "c", "d"])
