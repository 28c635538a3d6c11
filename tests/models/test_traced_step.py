import keras
import pytest

from tests.tiny import tiny_classifier, tiny_data

# One epoch or two: the paper's schedule does not come to the gate.
pytestmark = pytest.mark.filterwarnings("ignore:The gate ended")


def test_the_step_is_traced_once():
    model = tiny_classifier(schedule="alternating")
    images, labels = tiny_data(70)  # The last batch is a smaller one.
    model.compile(keras.optimizers.SGD(0.1, 0.9))
    traces = []
    loss = model.compute_dual_path_loss

    def counted(*args):
        traces.append(1)
        return loss(*args)

    model.compute_dual_path_loss = counted
    model.fit(images, labels, batch_size=32, epochs=1, verbose=0)
    assert len(traces) == 1
    model.fit(
        images, labels, batch_size=32, initial_epoch=1, epochs=6, verbose=0
    )
    assert len(traces) == 1


def test_the_gated_path_makes_no_tensor_of_the_maps_size():
    """Not forward, not backward: what it keeps is `(batch, filters)`."""
    tf = pytest.importorskip("tensorflow")
    batch = tuple(tf.constant(array) for array in tiny_data(16))

    def map_tensors(**kwargs):
        model = tiny_classifier(**kwargs)
        model.compile("sgd")
        model.optimizer.build(model.trainable_variables)
        step = tf.function(lambda: model.train_step(batch))
        graph = step.get_concrete_function().graph
        shapes = [
            out.shape for op in graph.get_operations() for out in op.outputs
        ]
        return sum(shape.rank == 4 and shape[0] == 16 for shape in shapes)

    assert map_tensors() == map_tensors(gated=False) > 0


def test_xla_is_the_default_where_there_is_a_gpu(monkeypatch):
    tf = pytest.importorskip("tensorflow")
    cpu = tf.config.list_physical_devices("CPU")
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    model = tiny_classifier()
    for devices, expected in ((cpu, False), ([*cpu, gpu], True)):
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda d=devices: d
        )
        model.compile("sgd")
        assert model.jit_compile is expected
