"""The nearest neighbors behind `mutual_information`, and nothing else."""

from keras_csg.metrics._information.ross_estimate import (
    has_two_groups as has_two_groups,
)
from keras_csg.metrics._information.ross_estimate import (
    one_against_rest as one_against_rest,
)
