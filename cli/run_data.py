"""The data of a run, for commands that look at them again."""

from keras_csg.training.trainer import load_run_data
from keras_csg_cli.options import say


def load_data_of(run, model, data_dir=None):
    """Loads a run's data, which may have changed since it was trained.

    Args:
        run: `Run`.
        model: its `CSGClassifier`.
        data_dir: path. Where the data are now, if they moved.

    Returns:
        `ClassificationData`.

    Raises:
        ValueError: if the data cannot be loaded, or have other classes.
    """
    data = load_run_data(run.options, data_dir=data_dir, log=say)
    known = model.class_names or data.class_names
    if data.class_names != known or data.num_classes != model.num_classes:
        raise ValueError(
            f"{run.path} was trained on other classes than {data.name} has "
            f"now: {model.num_classes} then, {data.num_classes} now."
        )
    return data
