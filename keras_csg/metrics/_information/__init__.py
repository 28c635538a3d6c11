"""The nearest neighbors behind `mutual_information`, and nothing else."""

from keras_csg.metrics._information.ross_estimate import (
    one_against_rest as one_against_rest,
)
