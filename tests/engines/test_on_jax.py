"""What JAX is asked on a GPU, without one."""

import types

import pytest

pytest.importorskip("jax", reason="JAX is not installed")
from keras_csg.engines import on_jax


@pytest.fixture
def a_gpu(monkeypatch):
    gpu = types.SimpleNamespace(platform="gpu", compute_capability="8.0")
    monkeypatch.setattr(on_jax, "local_devices", lambda: [gpu])


@pytest.mark.usefixtures("a_gpu")
def test_a_gpu_is_deterministic_if_jax_was_started_so(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=a")
    assert not on_jax.is_deterministic()
    way_out = r"set XLA_FLAGS=--xla_gpu_deterministic_ops=true$"
    with pytest.raises(ValueError, match=way_out):
        on_jax.set_deterministic(True)
    monkeypatch.setenv(
        "XLA_FLAGS", "--xla_dump_to=a --xla_gpu_deterministic_ops=true"
    )
    assert on_jax.is_deterministic()
    on_jax.set_deterministic(True)


def test_a_processor_is_deterministic(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert on_jax.is_deterministic()


@pytest.mark.usefixtures("a_gpu")
def test_gpus_that_know_bfloat16_compute_in_it():
    assert on_jax.accelerator_policy() == "mixed_bfloat16"
