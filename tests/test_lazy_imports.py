"""Importing the package costs nothing, and everything is there when used."""

import ast
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_csg
from keras_csg import serialization

HEAVY = {
    "tensorflow",
    "keras",
    "matplotlib",
    "sklearn",
    "scipy",
    "tensorflow_datasets",
    "keras_cv",
    "onnx",
    "onnxruntime",
    "PIL",
    "numpy",
}


def loaded_after(code):
    """Returns the heavy packages that a fresh interpreter has loaded."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    return HEAVY & set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "keras_csg",
        "keras_csg.choices",
        "keras_csg.quiet",
        "keras_csg.training.options",
    ],
)
def test_a_quick_module_loads_no_library(module):
    assert loaded_after(f"import {module}") == set()


def test_metrics_load_neither_tensorflow_nor_keras():
    loaded = loaded_after("import keras_csg; keras_csg.metrics.l1_density")
    assert not loaded & {"tensorflow", "keras", "matplotlib"}


def test_every_public_name_is_there():
    for name in keras_csg.__all__:
        assert getattr(keras_csg, name) is not None
    assert set(keras_csg.__all__) <= set(dir(keras_csg))
    assert {"build", "metrics", "explain", "evaluation"} <= set(dir(keras_csg))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="bulid"):
        keras_csg.bulid  # noqa: B018


def test_sub_packages_need_no_second_import():
    script = "import keras_csg; print(keras_csg.metrics.l1_density([[1., 0.]]))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.stdout == "0.5\n", done.stderr


SAVED = pathlib.Path(__file__).parent / "compatibility/0.1.0/run/model.keras"


@pytest.mark.parametrize(
    "imports",
    [
        "import keras_csg, keras",
        pytest.param("import keras, keras_csg", marks=pytest.mark.slow),
        pytest.param("import keras_csg.layers, keras", marks=pytest.mark.slow),
        pytest.param(
            "import keras_csg.training, keras", marks=pytest.mark.slow
        ),
        pytest.param(
            "import keras_csg, importlib.util as u; u.find_spec('keras')\n"
            "import keras",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_keras_loads_a_saved_model_whatever_was_imported_first(imports):
    script = f"""{imports}
model = keras.saving.load_model({str(SAVED)!r})
print(type(model).__name__, model.num_classes)"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.stdout == "CSGClassifier 10\n", done.stderr


def test_every_registered_class_has_a_stand_in():
    """Also those of modules that nothing has imported yet."""
    registered = set()
    root = pathlib.Path(keras_csg.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(
                "register_keras_serializable" in ast.unparse(decorator)
                for decorator in node.decorator_list
            ):
                registered.add(node.name)
    assert registered == set(serialization.MODULES)


def test_a_stand_in_becomes_the_class_it_stands_for():
    config = {
        "module": "keras_csg.layers",
        "class_name": "UnitMaxGate",
        "config": {},
        "registered_name": "keras_csg>UnitMaxGate",
    }
    stand_in = serialization._stand_in("UnitMaxGate", "keras_csg.layers")
    with keras.saving.custom_object_scope({"keras_csg>UnitMaxGate": stand_in}):
        loaded = keras.saving.deserialize_keras_object(config)
    assert type(loaded) is keras_csg.UnitMaxGate


def test_no_module_takes_a_lazy_name_while_it_is_imported():
    """It would wait for a thread that waits for the module."""
    for path in pathlib.Path(keras_csg.__file__).parent.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module == "keras_csg":
                taken = {alias.name for alias in node.names}
                assert not taken & set(keras_csg.__all__), path


@pytest.mark.slow
def test_threads_may_use_the_package_first_at_the_same_time():
    """One begins a package while the other wants a module of it."""
    script = """
import importlib.machinery, sys, threading, time
import keras, tensorflow
import keras_csg

wanted = threading.Event()

def wanting(event, arguments):
    if event == "import" and arguments[0] == "keras_csg.backbones.flattening":
        wanted.set()

def create_module(self, spec):
    # The package is locked here, and not yet among the modules.
    if spec.name == "keras_csg.backbones":
        wanted.wait(4)
        time.sleep(0.2)

sys.addaudithook(wanting)
importlib.machinery.SourceFileLoader.create_module = create_module
start, errors = threading.Barrier(2), []

def use(name):
    start.wait()
    try:
        getattr(keras_csg, name)
    except BaseException as error:
        errors.append(error)

names = ("create_backbone", "export")
threads = [threading.Thread(target=use, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(errors)"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.slow
def test_every_module_can_be_the_first_one_imported():
    """As in a script, or a test, that needs nothing else."""
    script = """
import importlib, pathlib, sys
import keras, tensorflow
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*.py")):
    for name in [n for n in sys.modules if n.partition(".")[0] == root.name]:
        del sys.modules[name]
    path = path.relative_to(root.parent).with_suffix("")
    module = ".".join(path.parts).removesuffix(".__init__")
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(root.name):
            raise
    except ImportError as error:
        print(module, error)
"""
    root = pathlib.Path(keras_csg.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", script, root], capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
