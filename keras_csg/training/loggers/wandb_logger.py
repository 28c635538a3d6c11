import os
from typing import Any

from keras_csg.training.environment import versions
from keras_csg.training.loggers.base import RunLogger

PROJECT = "keras-csg"


class WandbLogger(RunLogger):
    """Sends a run to Weights & Biases.

    By a run of its own, not by `wandb.integration.keras.WandbMetricsLogger`:
    that one needs TensorFlow, takes the run that the process has active, and
    fails on JAX. What W&B is told by its environment counts: `WANDB_PROJECT`,
    else `keras-csg`; `WANDB_MODE=offline`, for `wandb sync` later; `WANDB_DIR`,
    else the run directory, in whose folder `wandb` its files lie.

    Reference:
        - [wandb.init](https://docs.wandb.ai/ref/python/functions/init)
    """

    name = "wandb"
    title = "Weights & Biases"
    way_out = "Set WANDB_MODE=offline, which needs no account"
    _run: Any

    def reach(self) -> None:
        """Looks for an account, which nothing that stays offline needs."""
        import wandb

        if wandb.setup().settings.mode in ("online", "shared"):
            wandb.login()

    def begin(self) -> None:
        """Begins the run, whose config is that of `config.json`."""
        import wandb

        self._run = wandb.init(
            project=wandb.setup().settings.project or PROJECT,
            dir=os.environ.get("WANDB_DIR", os.fspath(self.run)),
            name=self.shown_name,
            config={**self.shown_options, "versions": versions()},
            id=self.run_id,
            resume="allow",
            allow_val_change=True,
            reinit="create_new",  # Leaves the user's own alone.
        )
        self.run_id = self._run.id

    def send_epochs(self, rows: list[dict[str, float]]) -> None:
        """Sends rows, whose step is the epoch."""
        for row in rows:
            self._run.log(row, step=int(row["epoch"]))

    def send_results(self, figures: dict[str, float]) -> None:
        """Sends figures as the summary, and the files."""
        self._run.summary.update(figures)
        for path in self.files():
            self._run.save(path, base_path=self.run.path, policy="now")

    def end(self, status: str) -> None:
        """Ends the run, which waits until all is sent."""
        self._run.finish(exit_code=0 if status == "finished" else 1)
