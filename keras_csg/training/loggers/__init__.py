"""Where the figures of a training go while it runs, beside its own files."""

from keras_csg.training.loggers.run_loggers import RunLoggers as RunLoggers
