"""All that this package takes of others' private interfaces, in one place.

Each is here for want of a public name. The environment variable
`KERAS_CSG_PLAIN` turns off what is built on them, by name and separated by
commas: `batch_normalization` and `sgd` for the faster kernels, or `all`; other
words are warned of. A name that a later version of Keras or TensorFlow no
longer has turns it off too, and a test notices.
"""

import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

SWITCH = "KERAS_CSG_PLAIN"
SWITCHABLE = ("batch_normalization", "sgd")
# The seed and the generator that Keras takes where it is given neither.
KERAS_STREAMS = ("global_random_seed", "global_seed_generator")


def is_enabled(name: str) -> bool:
    """Whether the user left on what is called `name`; see the module."""
    return switched_off(os.environ.get(SWITCH, "")).isdisjoint((name, "all"))


@functools.cache
def switched_off(text: str) -> frozenset[str]:
    """Returns the names in the switch's text, and warns of strange ones.

    Once for each text, since it is asked for at every call of a layer.
    """
    plain = frozenset(filter(None, (part.strip() for part in text.split(","))))
    strange = sorted(plain - {*SWITCHABLE, "all"})
    if strange:
        warnings.warn(
            f"{SWITCH} takes some of {', '.join(SWITCHABLE)}, or all. "
            f"Received: {', '.join(map(repr, strange))}",
            stacklevel=2,
        )
    return plain


def stand_in_for(plain: type) -> property:
    """Makes a faster subclass pass for the Keras class it stands for.

    Keras names and serialises an object after its `__class__`, so to Keras it
    is the plain one, and what is saved loads where this package is not
    installed; `type()` and `isinstance` still tell.

    Args:
        plain: the Keras class.

    Returns:
        What to assign to `__class__` in the body of the subclass.
    """
    return property(lambda self: plain, _set_class)


def own_class() -> property:
    """Makes a subclass of a stand-in pass for what it is, as others do.

    Returns:
        What to assign to `__class__` in the body of the subclass.
    """
    return property(type, _set_class)


def _set_class(instance, cls):
    # A property hides the one that every object has and could not be set.
    object.__dict__["__class__"].__set__(instance, cls)


def flat_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns all layers of a model, those inside composite layers too.

    Keras has no public name for the latter.
    """
    return list(model._flatten_layers())


def compiled_by_xla() -> bool:
    """Whether the graph that is being traced on TensorFlow is one for XLA.

    TensorFlow has no public name that tells; Keras, too, imports such from
    `tensorflow.python`. Where the private one is gone, XLA is assumed: Keras's
    own kernels suit both.
    """
    import tensorflow as tf

    try:
        from tensorflow.python.ops import control_flow_util
    except ImportError:
        return True
    graph = tf.compat.v1.get_default_graph()
    return control_flow_util.GraphOrParentsInXlaContext(graph)


def momentum_of(optimizer: keras.optimizers.SGD, variable: Any) -> Any:
    """Returns the momentum that an optimizer keeps of a variable, or `None`.

    Keras has no public name that says which is whose; `None` where the
    private one is gone.
    """
    index_of = getattr(optimizer, "_get_variable_index", None)
    return None if index_of is None else optimizer.momentums[index_of(variable)]


def place_of(optimizer: keras.optimizers.Optimizer, variable: Any) -> Any:
    """Returns the Keras variable whose value an optimizer is updating.

    TensorFlow's step is handed the bare `tf.Variable`.
    """
    index_of = getattr(optimizer, "_get_variable_index", None)
    if isinstance(variable, keras.Variable) or index_of is None:
        return variable
    return optimizer._trainable_variables[index_of(variable)]


def draw_seeds_from(
    layer: keras.layers.Layer, generator: keras.random.SeedGenerator
) -> None:
    """Makes an augmentation layer draw from another seed generator.

    Keras asks its data layers for seeds in this way whichever backend the
    model runs on; the attribute `generator` is for the own backend alone.
    """
    layer._get_seed_generator = lambda backend=None: generator


def decays(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Whether a built optimizer's weight decay moves a variable.

    Keras lets one exclude variables but not ask.
    """
    return optimizer._use_weight_decay(variable)


def exclude_from_weight_decay(
    optimizer: keras.optimizers.Optimizer, variables: Iterable[Any]
) -> None:
    """Adds variables to what an optimizer's weight decay leaves alone.

    Keras's public call replaces earlier exclusions and has no way to read
    them, so they are carried over from its private attributes.
    """
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    excluded: set = getattr(optimizer, "_exclude_from_weight_decay", set())
    optimizer.exclude_from_weight_decay(
        var_list=list(variables),
        var_names=[pattern.pattern] if pattern else None,
    )
    optimizer._exclude_from_weight_decay |= excluded


def op_determinism() -> bool:
    """Whether TensorFlow's operations are told to be deterministic."""
    from tensorflow.python.framework import config

    return config.is_op_determinism_enabled()


def disable_op_determinism() -> None:
    """Undoes `tf.config.experimental.enable_op_determinism`."""
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def random_streams() -> tuple:
    """Returns where the random numbers of Keras and of TensorFlow stand.

    Both have public calls that start them anew from a seed, none to look at
    them. Numbers of TensorFlow's operations that were given a seed of their
    own are kept inside its kernels, and not among these.

    Returns:
        What `set_random_streams` takes.
    """
    from keras.src.backend.common import global_state
    from tensorflow.python.eager import context

    of_keras = {n: global_state.get_global_attribute(n) for n in KERAS_STREAMS}
    stream = getattr(context.context(), "_rng", None)  # Not before a seed.
    return of_keras, global_seed(), stream and stream.getstate()


def set_random_streams(streams: tuple) -> None:
    """Puts back what `random_streams` returned."""
    import tensorflow as tf
    from keras.src.backend.common import global_state
    from tensorflow.python.eager import context

    of_keras, seed, stream = streams
    for name, value in of_keras.items():
        global_state.set_global_attribute(name, value)
    tf.random.set_seed(seed)
    if stream is not None:
        context.context()._rng.setstate(stream)


def global_seed() -> int | None:
    """Returns the seed that `tf.random.set_seed` was given, if any."""
    from tensorflow.python.eager import context

    return context.global_seed()


@contextlib.contextmanager
def placing_batches(place: Callable | None) -> Iterator[None]:
    """Has Keras on JAX place each batch by itself, not as the first.

    The last batch of an epoch may not divide among the devices. Where Keras no
    longer has the function, batches have to.

    Args:
        place: callable that takes the arrays of a batch and returns them where
            the devices have them; `None` to do it as Keras does, by the layout
            that the distribution gives each.

    Raises:
        ValueError: if `place` is given and Keras no longer has the function.
    """
    from keras.src.backend.jax import trainer

    distribute = getattr(trainer, "_distribute_data", None)
    if distribute is None:
        if place is not None:
            raise ValueError(
                "Several processes cannot train with this version of Keras."
            )
        yield
        return

    def placed(data, layouts=None):
        alone = place is None or keras.distribution.distribution() is None
        return distribute(data) if alone else place(data)

    trainer._distribute_data = placed
    try:
        yield
    finally:
        trainer._distribute_data = distribute
