"""Searches three hyper-parameters on handwritten digits with Optuna.

    pip install optuna
    python examples/search.py --trials 12

Takes a few minutes on two cores. Expected: a line for each trial, and the
best one, above 0.95, as a command that trains it to the end.

A trial is judged on the validation split, by the mean of two accuracies: of the
standard path, and of each class's own filters alone. The test split is for the
network that is trained in the end. Trials whose epochs are worse than the
median of those before are stopped early. All are kept in `search.db`, so that
the same command goes on where it was stopped; one that fails is kept with its
reason, and the search goes on.
"""

import argparse
import sys

try:  # The first, so that nobody waits to be told.
    import optuna
    from optuna.trial import TrialState
except ImportError as error:
    sys.exit(f"{error}: pip install optuna")

import keras

import keras_csg
from keras_csg.training.callbacks import FiniteLoss

DONE = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
ACCURACIES = ("val_accuracy", "val_class_specific_accuracy")


class ReportToTrial(keras.callbacks.Callback):
    """Tells a trial how good an epoch is, and stops it if others are better."""

    def __init__(self, trial):
        super().__init__()
        self.trial = trial
        self.score = None

    def on_epoch_end(self, epoch, logs=None):
        """Reports the score on the validation split."""
        self.score = sum(logs[name] for name in ACCURACIES) / len(ACCURACIES)
        self.trial.report(self.score, epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def choose(trial):
    """Returns the three knobs, named as the options of `keras-csg train`."""
    suggest = trial.suggest_float
    return {
        "learning_rate": suggest("learning_rate", 0.01, 1, log=True),
        "lambda_5": suggest("lambda_5", 0, 2),
        "filter_dropout": suggest("filter_dropout", 0, 0.8),
    }


def train(trial, data, epochs, learning_rate, **knobs):
    """Trains a network; returns its score after the last epoch."""
    keras.utils.set_random_seed(0)  # Trials differ by their knobs alone.
    model = keras_csg.build(
        "resnet20", data.num_classes, input_shape=data.image_shape, **knobs
    )
    steps = data.train.steps_per_epoch(64)
    model.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(  # As the recipe `digits`.
                0.0,
                max(1, epochs - 1) * steps,
                warmup_target=learning_rate,
                warmup_steps=steps,
            ),
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-3,
        )
    )
    report = ReportToTrial(trial)
    model.fit(
        data.train.training_batches(
            64, seed=0, epochs=epochs, augmentation="crop"
        ),
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=data.validation.batches(64),
        callbacks=[FiniteLoss(), report],  # A loss that is none fails a trial.
        shuffle=False,  # The stream is shuffled.
        measure_again=False,  # The validation split is judged by epoch.
        verbose=0,
    )
    return report.score


def say(study, trial):
    """Prints what became of a trial."""
    knobs = ", ".join(f"{k} {v:.3g}" for k, v in trial.params.items())
    outcome = trial.user_attrs.get("error")
    if outcome is None:
        score = trial.intermediate_values[max(trial.intermediate_values)]
        outcome = f"{score:.4f}"
        if trial.state == TrialState.PRUNED:
            outcome += f" in epoch {1 + trial.last_step}, stopped"
    print(f"trial {trial.number}: {knobs}: {outcome}")


def main(trials=12, epochs=6, image_size=16, store="search.db"):
    data = keras_csg.load_data("digits", image_size=image_size)

    def objective(trial):
        keras.backend.clear_session()
        try:
            return train(trial, data, epochs, **choose(trial))
        except optuna.TrialPruned:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            trial.set_user_attr("error", reason)
            raise

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # `say` speaks.
    study = optuna.create_study(
        storage=f"sqlite:///{store}",
        study_name=f"digits, {image_size} pixels, {epochs} epochs",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    done = len(study.get_trials(states=DONE))
    # With the seed alone, a search that goes on would try the same again.
    study.sampler = optuna.samplers.TPESampler(seed=done, n_startup_trials=6)
    study.optimize(
        objective, max(0, trials - done), catch=Exception, callbacks=[say]
    )
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        print(
            f"None of {len(study.trials)} trials was trained to its end; the "
            f"last: {study.trials[-1].user_attrs.get('error')}",
            file=sys.stderr,
        )
        sys.exit(2)
    best = study.best_trial
    options = " ".join(
        f"--{name.replace('_', '-')} {value:.3g}"
        for name, value in best.params.items()
    )
    print(f"best: trial {best.number}, {best.value:.4f}; train it with")
    print(f"keras-csg train --image-size {image_size} {options}")
    return study


def positive(text):
    """Returns a number of at least 1."""
    if int(text) < 1:
        raise ValueError
    return int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=positive, default=12)
    parser.add_argument("--epochs", type=positive, default=6)
    parser.add_argument("--image-size", type=positive, default=16)
    parser.add_argument("--store", default="search.db")
    main(**vars(parser.parse_args()))
