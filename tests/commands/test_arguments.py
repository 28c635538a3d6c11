"""A bad argument is named in one line, before anything is written."""

import pathlib

import keras
import pytest
from PIL import Image

import keras_csg
from keras_csg.training import Run


def silent(text):
    """Takes a line of progress."""


def listing(folder):
    """What lies in a folder, and when it was last written."""
    return {p: p.stat().st_mtime_ns for p in sorted(folder.rglob("*"))}


def sequential():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])


PREDICT = [
    (lambda run: keras_csg.predict(5, []), "`source`.*of type int"),
    (lambda run: keras_csg.predict(None, []), "`source`.*of type NoneType"),
    (
        lambda run: keras_csg.predict(sequential(), []),
        "`source`.*of type Sequential",
    ),
    (lambda run: keras_csg.predict("", []), "`source` must not be empty"),
    (lambda run: keras_csg.predict(run, 5), "`images`.*images=5"),
    (lambda run: keras_csg.predict(run, [5]), "`images`.*of type int"),
    (lambda run: keras_csg.predict(run, [], top=0), "`top`.*top=0"),
    (lambda run: keras_csg.predict(run, [], top=1.5), "`top`.*top=1.5"),
    (lambda run: keras_csg.predict(run, [], heatmaps=""), "`heatmaps`"),
    (
        lambda run: keras_csg.predict(run, ["no.png"], heatmaps=run / "maps"),
        "no image file no.png",
    ),
]
LOCALIZE = [
    (lambda run: keras_csg.localize(run, batch_size=0), "batch_size=0"),
    (lambda run: keras_csg.localize(run, batch_size=-1), "batch_size=-1"),
    (lambda run: keras_csg.localize(run, batch_size="1"), "batch_size='1'"),
    (lambda run: keras_csg.localize(run, mosaics=0), "mosaics=0"),
    (lambda run: keras_csg.localize(run, limit=1.5), "limit=1.5"),
    (lambda run: keras_csg.localize(run, limit=True), "limit=True"),
    (lambda run: keras_csg.localize(run, part=5), "`part`.*part=5"),
    (lambda run: keras_csg.localize(run, part="head"), "part='head'"),
    (lambda run: keras_csg.localize(run, data=""), "`data` must not be empty"),
    (lambda run: keras_csg.localize(run, masks=5), "`masks`.*masks=5"),
    (lambda run: keras_csg.localize(run, track=5), "`track`.*track=5"),
    (lambda run: keras_csg.localize(run, log=5), "`log`.*log=5"),
    (lambda run: keras_csg.localize(5), "`run`.*run=5"),
    (lambda run: keras_csg.localize(Run("missing")), "missing is not a run"),
    (lambda run: keras_csg.sanity_check(run, limit=0), "limit=0"),
    (lambda run: keras_csg.sanity_check(run, part="head"), "part='head'"),
    (lambda run: keras_csg.localize(run, grid="no"), "`grid`.*grid='no'"),
    (lambda run: keras_csg.sanity_check(None), "`run`.*run=None"),
]
EVALUATE = [
    (lambda run: keras_csg.evaluate(Run("missing")), "missing is not a run"),
    (lambda run: keras_csg.evaluate(""), "`run` must not be empty"),
    (lambda run: keras_csg.evaluate(run, batch_size=0), "batch_size=0"),
    (lambda run: keras_csg.evaluate(run, ablate=5), "`ablate`.*ablate=5"),
    (lambda run: keras_csg.evaluate(run, data_dir=""), "`data_dir`"),
    (lambda run: keras_csg.evaluate(run, mis_variant="no"), "mis_variant='no'"),
    (lambda run: keras_csg.evaluate_runs([]), "`runs`.*runs=\\[\\]"),
    (lambda run: keras_csg.evaluate_runs(5), "`runs`.*runs=5"),
    (lambda run: keras_csg.evaluate_runs([run, 5]), "`runs`.*of type int"),
    (lambda run: keras_csg.evaluate_runs([run], against="no"), "against='no'"),
    (
        lambda run: keras_csg.evaluate_runs([run], batch_size=0),
        "batch_size=0",
    ),
]
EXPORT = [
    (lambda run: keras_csg.export_run(5), "`run`.*run=5"),
    (lambda run: keras_csg.export_run(Run("missing")), "missing is not a run"),
    (lambda run: keras_csg.export_run(run, formats=5), "`formats`.*formats=5"),
    (lambda run: keras_csg.export_run(run, formats="xml"), "formats=xml"),
    (lambda run: keras_csg.export_run(run, quantize=[5]), "`quantize`.*int"),
    (lambda run: keras_csg.export_run(run, outputs="logits"), "outputs=logits"),
    (
        lambda run: keras_csg.export_run(run, input_dtype="int4"),
        "input_dtype='int4'",
    ),
    (
        lambda run: keras_csg.export_run(run, min_agreement=5),
        "min_agreement=5",
    ),
    (
        lambda run: keras_csg.export_run(run, min_agreement=float("nan")),
        "min_agreement=nan",
    ),
    (lambda run: keras_csg.export_run(run, layout=["triton"]), "`layout`"),
    (lambda run: keras_csg.export_run(run, name=""), "`name`"),
    (lambda run: keras_csg.export_run(run, layout="triton", name=""), "`name`"),
    (lambda run: keras_csg.export_run(run, ""), "`out` must not be empty"),
    (lambda run: keras_csg.export_run(run, tracker=5), "`tracker`"),
    (lambda run: keras_csg.export_run(run, outputs=0), "`outputs`.*outputs=0"),
    (
        lambda run: keras_csg.export_run(run, overwrite="no"),
        "`overwrite` must be True or False.*'no'",
    ),
]


@pytest.mark.parametrize("call, match", PREDICT + LOCALIZE + EVALUATE + EXPORT)
def test_a_bad_argument_is_named_before_anything_is_written(
    tiny_run, tmp_path, monkeypatch, call, match
):
    monkeypatch.chdir(tmp_path)
    before = listing(tiny_run)
    with pytest.raises(keras_csg.InputError, match=match) as raised:
        call(tiny_run)
    assert len(str(raised.value).splitlines()) == 1
    assert listing(tiny_run) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"callbacks": [1]}, "`callbacks`.*of type int"),
        ({"callbacks": 1}, "`callbacks`.*callbacks=1"),
        ({"log": 1}, "`log`.*log=1"),
        ({"out": ""}, "`out` must not be empty"),
        ({"out": 5}, "`out`.*out=5"),
        ({"resume": "no"}, "`resume`.*resume='no'"),
        ({"seed": -1}, "`seed` must be at least 0.*seed=-1"),
        ({"config": ""}, "`config` must not be empty"),
        ({"config": 5}, "`config`.*config=5"),
        ({"data": ""}, "`data` must not be empty"),
        ({"data": 5}, "`data`.*data=5"),
        ({"data_dir": ""}, "`data_dir` must not be empty"),
        ({"backbone": ""}, "`backbone` must not be empty"),
        ({"learning_rate": float("inf")}, "learning_rate=inf"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"lambda_1": float("inf")}, "lambda_1=inf"),
        ({"resume": True, "out": None}, "`resume` needs `out`"),
    ],
)
def test_a_bad_argument_of_train_is_named_before_the_directory_is_made(
    tmp_path, monkeypatch, arguments, match
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(keras_csg.InputError, match=match) as raised:
        keras_csg.train(**{"out": "run", **arguments})
    assert len(str(raised.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "function",
    [
        keras_csg.localize,
        keras_csg.sanity_check,
        keras_csg.evaluate_runs,
        keras_csg.export_run,
    ],
)
def test_an_unknown_argument_is_one_of_the_function_called(function):
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\).*'limits'"):
        function("run", limits=3)


def test_a_run_is_taken_wherever_its_path_is(tiny_run, tmp_path):
    picture = tmp_path / "picture.png"
    Image.new("RGB", (8, 8), (200, 0, 0)).save(picture)
    run = Run(tiny_run)
    given = keras_csg.predict(run, picture)
    assert given == keras_csg.predict(tiny_run, picture)
    result = keras_csg.export_run(
        run, tmp_path / "export", formats="onnx", outputs="probabilities"
    )
    assert [pathlib.Path(f["path"]).name for f in result.files] == [
        "model.onnx"
    ]
    assert keras_csg.train(run, resume=True, log=None) == {}


def test_a_broken_config_is_what_an_export_blames(tiny_run, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.keras").write_bytes((tiny_run / "model.keras").read_bytes())
    for text, match in (
        ("{", "config.json is not a JSON"),
        ('{"epoch": 3}', "config.json.*'epoch'"),
    ):
        (run / "config.json").write_text(text)
        with pytest.raises(keras_csg.InputError, match=match):
            keras_csg.export_run(run, log=silent)
