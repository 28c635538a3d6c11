"""The command line with a tiny backbone, for processes that train together.

KERAS_BACKEND=jax python -m tests.engines.several_processes train --out ...
"""

import sys

from keras_csg_cli.main import main

BATCH = 64  # The last of an epoch holds 13, of validation 16.
OPTIONS = (
    *("--data", "digits", "--image-size", "8", "--augment", "crop"),
    *("--backbone", "tiny", "--batch-size", str(BATCH)),
    *("--optimizer", "sgd", "--learning-rate", "0.1"),
    *("--precision", "float32", "--filter-dropout", "0.7"),
    *("--image-size", "8"),
)

if __name__ == "__main__":
    from keras_csg.backbones import register_backbone
    from tests.engines.several_devices import maps_of

    register_backbone("tiny", family="Tiny", default_size=8, min_size=8)(
        maps_of
    )
    main(sys.argv[1:])
