import os
import shutil
from collections.abc import Callable, Iterable

import keras

from keras_csg.data.report import uneven_classes
from keras_csg.evaluation import evaluate_classification
from keras_csg.optimizers import take_averages
from keras_csg.training.backup_files import Backup
from keras_csg.training.callbacks.backup import restore
from keras_csg.training.class_weights import (
    chosen_weights,
    say_weights,
    training_batches_of,
)
from keras_csg.training.costs import costs_of, line_of
from keras_csg.training.environment import (
    TrainingEnvironment,
    choose_device,
)
from keras_csg.training.final_statistics import keep_better_statistics
from keras_csg.training.going_on import find_state, prepare, take_history
from keras_csg.training.head_phase import train_head_of
from keras_csg.training.initial import take_over, with_known_head
from keras_csg.training.limits import check_asked_size, check_batch
from keras_csg.training.loggers import RunLoggers
from keras_csg.training.model import create_model, describe
from keras_csg.training.optimizers import shortened_average
from keras_csg.training.options import TrainingOptions
from keras_csg.training.pictures import draw_run
from keras_csg.training.precision import choose_precision
from keras_csg.training.pretrained import build_for, build_pretrained, notes_on
from keras_csg.training.processes import (
    check_alike,
    noticing_lost_ones,
    own_directory,
    own_share,
)
from keras_csg.training.recipes import fill_in
from keras_csg.training.run_callbacks import (
    best_epoch_of,
    callbacks_of,
    has_ended,
)
from keras_csg.training.run_data import load_data_for
from keras_csg.training.runs import Run
from keras_csg.training.time_budget import within_time
from keras_csg.training.timings import Timings
from keras_csg.training.write_errors import explaining_failures


class Trainer:
    """One training run: set up, trained, evaluated, written down.

    Everything a user can get wrong is checked while it is constructed, before
    the first step. Dtype policy, seeds and determinism hold while it is set up
    and while it trains, and are as they were in between and afterwards.

    Args:
        options: `TrainingOptions`.
        out: path of the run directory.
        resume: bool. Go on with the run in `out`, whose options count.
        allow_changed_data: bool. Go on although images have changed since.
        log: callable from a str, told what is going on.

    Raises:
        ValueError: for anything in the options that cannot be had.
    """

    def __init__(
        self,
        options: TrainingOptions,
        out: str | os.PathLike,
        *,
        resume: bool = False,
        allow_changed_data: bool = False,
        log: Callable[[str], None] = lambda text: None,
    ):
        self.log = log
        self.backup: Backup | None = None
        self.run = Run(own_directory(out, resume))
        self.timings = Timings()
        choose_device(options.device)
        if options.precision == "auto":
            precision = choose_precision(options.backbone)
            options = options.replace(precision=precision)
        self.environment = TrainingEnvironment(
            options.precision,
            options.seed,
            options.deterministic,
            options.devices,
        )
        with self.environment, self.timings.of("startup"):
            try:
                with noticing_lost_ones():
                    self._set_up(options, resume, allow_changed_data)
            except BaseException:
                self.run.unlock()
                raise

    def _set_up(self, options, resume, allow_changed_data):
        check_asked_size(options)
        if resume:
            self.backup = find_state(self.run, self.log)
        self.loggers = RunLoggers(options.loggers, self.run, self.log)
        backbone, report = None, None
        restored = resume and self.run.was_trained()
        if options.weights is not None:  # Refused before data are read.
            options, backbone, report = build_pretrained(options, restored)
            if resume and report is not None:
                self.run.check_weights(report)
        options = self._load(options, resume, allow_changed_data)
        options = with_known_head(options, self.data.class_names)
        self.options = fill_in(options, self.data)
        check_batch(self.options.batch_size, self.data.image_shape)
        check_alike(self.options, self.data)
        self.share = own_share()
        self._build(backbone, report, resume, restored)
        self.loggers.open()
        self.first_epoch = self._restore(resume)
        if self.class_weights is not None:
            self.log(say_weights(self.class_weights, self.data.class_names))
        self.batches = training_batches_of(
            self.options,
            self.data,
            self.first_epoch,
            self.class_weights,
            self.share,
        )
        if resume and self.data.changes:
            self.run.write_listing(self.data.listing)
        if not resume:  # The last: nothing is written before all is well.
            sha256 = report.sha256 if report else None
            self.run.create(self.options, sha256, self.data.listing)
        self.recorded = self.run.options

    def _load(self, options, resume, allow_changed_data):
        """Loads the data; returns the options with names of them that last."""
        run = self.run if resume else None
        self.data = load_data_for(options, run=run, log=self.log)
        if self.data.changes and not allow_changed_data:
            raise ValueError(
                f"{self.data.changes} Go on all the same with "
                "`allow_changed_data`, or start another run."
            )
        for line in uneven_classes(self.data):
            self.log(line)
        choice, self.class_weights = chosen_weights(
            options.class_weights, self.data
        )
        return options.replace(
            data=self.data.source.lasting_name(),
            white_level=self.data.reading.white_level,
            labels=self.data.source.lasting_labels(),
            class_weights=choice,
        )

    def _build(self, backbone, report, resume, restored):
        """Builds the model, by options of which some hang on it."""
        self.steps = self.data.train.steps_per_epoch(self.options.batch_size)
        if backbone is None:
            shape = self.data.image_shape
            backbone, _ = build_for(self.options, shape, weights=None)
        if self.options.time_budget is not None and not resume:
            self.options = within_time(
                self.options, self.data, backbone, self.log
            )
        if line := shortened_average(self.options, self.steps):
            self.log(line)
        self.model = create_model(self.options, self.data, backbone, self.steps)
        if self.options.init is not None and not restored:
            report = take_over(self.model, self.options.init, report)
        for line in notes_on(self.options, self.model, report):
            self.log(line)
        self.model.backbone_weights = report
        self.options = self.options.replace(
            filter_dropout=self.model.filter_dropout,
        )

    def train(self, callbacks: Iterable[keras.callbacks.Callback] = ()) -> dict:
        """Trains from where the run stands to its last epoch.

        Args:
            callbacks: more `keras.callbacks.Callback`s, such as a progress
                bar.

        Returns:
            The test split's metrics, as written to `metrics.json`.

        Raises:
            NonFiniteLossError: if the loss is not finite.
            LostProcessError: if one that shares the steps is gone.
            RunWriteError: if the run cannot be written any more, as on a full
                disk.
        """
        with self.environment:
            try:
                self.run.lock()
                with (
                    explaining_failures(self.run),
                    self.loggers,
                    noticing_lost_ones(),
                ):
                    self._fit(callbacks)
                    return self._finish()
            finally:
                self.run.unlock()

    def describe(self) -> list[str]:
        """Returns what is trained on what, and where, as lines."""
        return describe(self.options, self.data, self.model, self.run.path)

    def _fit(self, callbacks):
        options = self.options
        if self.first_epoch == 0 and options.head_epochs:
            with self.timings.of("head"):
                train_head_of(
                    options, self.model, self.data, self.class_weights, self.log
                )
        own = [
            self.timings,
            *callbacks_of(
                self.run,
                options,
                self.model,
                self.data,
                self.best,
                self.history,
                self.log,
            ),
            *self.loggers.callbacks(self.model.gated),
        ]
        if self.first_epoch < options.epochs and not has_ended(own):
            self.model.fit(
                self.batches,
                steps_per_epoch=self.steps,
                initial_epoch=self.first_epoch,
                epochs=options.epochs,
                validation_data=self.data.validation.batches(
                    options.batch_size, self.share
                ),
                callbacks=[*own, *callbacks],
                shuffle=False,  # The stream is shuffled.
                measure_again=False,  # `_finish` does.
                verbose=0,
            )

    def _restore(self, resume):
        """Puts back what there is; returns the number of epochs done."""
        run, backup = self.run, self.backup
        if resume:
            backup = prepare(run, self.options, self.model, backup, self.log)
        self.history = take_history(run, backup, self.log)
        self.best = best_epoch_of(run, self.options, self.model, self.history)
        if backup is None:
            return 0
        restore(backup.path, self.model)
        if self.best is not None and (line := self.best.keep()):
            self.log(line)
        return backup.epochs

    def _finish(self):
        """Evaluates on the test split, once, and writes the results."""
        options, run = self.options, self.run
        if self.best is not None and (line := self.best.put_back(self.model)):
            self.log(line)
        if options.ema is not None:
            take_averages(self.model.optimizer, self.model.optimized_variables)
        if options.batch_statistics == "fitted":
            with self.timings.of("statistics"):
                keep_better_statistics(
                    self.model,
                    self.data,
                    batch_size=options.batch_size,
                    seed=options.seed,
                    augmentation=options.augment,
                    sampling=options.sampling,
                    log=self.log,
                )
        self.log("Evaluating on the test split")
        with self.timings.of("evaluation"):
            results, *tables = evaluate_classification(
                self.model, self.data.test, options.batch_size
            )
        with self.timings.of("pictures"):
            draw_run(run, self.model, self.history, *tables, self.log)
        seconds = self.history.column("seconds")
        results["training_minutes"] = round(sum(seconds) / 60, 2)
        results |= self.timings.figures()
        costs = costs_of(self.model, seconds)
        results |= costs
        self.log(line_of(costs))
        self.log(self.timings.line())
        run.write_metrics(results)
        run.write_record(self.recorded, self.history)
        run.save_model(self.model)  # The last: it says the run is finished.
        shutil.rmtree(run.backup_path, ignore_errors=True)
        self.loggers.finish(results)
        return results
