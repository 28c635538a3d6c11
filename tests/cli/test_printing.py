"""A name is data: whatever is in it, it makes no line of its own."""

import ast
import json
import types

import pytest

from keras_csg_cli import data, detect, evaluate, explain, filters, predict
from keras_csg_cli import edit as edit_command
from keras_csg_cli import weights as weights_command
from keras_csg_cli.printing import print_json, print_line
from tests.source_tree import modules, parse

NAME = "cat\nError: owned\x1b[31m\u2028:dog:[red]"
SHOWN = r"cat\nError: owned\x1b[31m\u2028:dog:[red]"


def test_a_name_makes_no_line_of_its_own(capsys):
    print_line(NAME)
    print_line(NAME, err=True)
    out, err = capsys.readouterr()
    assert out == err == SHOWN + "\n"


def test_json_keeps_a_name(capsys):
    print_json({"name": NAME})
    out, _ = capsys.readouterr()
    assert json.loads(out) == {"name": NAME} and "\x1b" not in out


def explained():
    picture = types.SimpleNamespace(name=NAME)
    found = types.SimpleNamespace(
        pictures=[picture], sentences=lambda index: [f"{NAME}: 90 %"]
    )
    explain._print(found)


def predicted():
    entry = {"class_name": NAME, "probability": 0.5, "name": NAME}
    named = {"filter": 3, "name": NAME, "share": 0.5}
    predict._print(
        {
            "image": NAME,
            "classes": [entry],
            "present": [entry],
            "class_specific": [entry],
            "filters": [named],
            "heatmap": NAME,
        }
    )


def scored():
    entry = {"image": NAME, "anomaly_score": 0.5, "known": True}
    print_line(detect._line({**entry, "class_name": NAME, "probability": 1.0}))


def fitted():
    found = dict.fromkeys(detect.COLUMNS, 0.5)
    images = {"tested_on": 1, "calibrated_on": 1}
    detect._print_figures(
        {
            "score": NAME,
            "flagged": 0.05,
            "false_alarm_rate": 0.05,
            "images": images,
            "kinds": {NAME: found},
        },
        NAME,
    )


def evaluated():
    evaluate._print_tables({NAME: {"accuracy": 1.0}}, {NAME: {NAME: 1.0}})


def described():
    data._print(
        types.SimpleNamespace(
            name=NAME,
            class_names=[NAME],
            counts={NAME: [1]},
            examples={NAME: 1},
            image_shape=(8, 8, 3),
            sizes={NAME: 1},
            aspects=(1.0, 1.0),
            notes=[NAME],
            passed_over={NAME: {"count": 1, "examples": [NAME]}},
            broken=[NAME],
            copies=None,
            near=None,
        )
    )


def looked_at():
    row = {"class": NAME, "filters": 1, "purity": 0.5, "mis": 0.5}
    filters._print(
        {
            "run": NAME,
            "split": NAME,
            "filters": [{"class": NAME}],
            "classes": [{**row, "recall": 1.0, "recall_without": None}],
            "figures": {
                "samples": 1,
                "gated": True,
                "shared": 0,
                "dead": 0,
                "filters": 1,
                "duplicates": 0,
            },
        }
    )


def edited():
    columns = {"before": 1.0, "before_masked": 1.0, "after": 1.0}
    means = {f"mean_{name}": 1.0 for name in columns}
    sizes = {"before": 2, "after": 1}
    both = {
        "classes": [{"class": NAME, "images": 1, **columns}],
        "removed_classes": [NAME],
        **means,
    }
    edit_command._print(
        {
            **both,
            "against": {**both, "run": NAME},
            "parameters": sizes,
            "file_bytes": sizes,
        },
        NAME,
        NAME,
    )


def listed(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"")
    weights_command._print_card(
        types.SimpleNamespace(
            path=path,
            source=NAME,
            description=NAME,
            data=NAME,
            class_names=[NAME],
            licence=NAME,
            sha256=NAME,
            versions={NAME: NAME},
            limits=[NAME],
            figures={NAME: 1.0},
        )
    )


@pytest.mark.parametrize(
    "show",
    [
        explained,
        predicted,
        scored,
        fitted,
        evaluated,
        described,
        looked_at,
        edited,
    ],
)
def test_commands_show_a_name_on_one_line(show, capsys):
    show()
    check(capsys.readouterr().out)


def test_a_card_shows_a_name_on_one_line(tmp_path, capsys):
    listed(tmp_path)
    check(capsys.readouterr().out)


def check(out):
    assert SHOWN in out
    assert "\x1b" not in out and "\u2028" not in out
    assert not [line for line in out.splitlines() if line.startswith("Error")]


# What a command may not call: it would print data as they are.
PRINTING = {"print", "echo", "secho", "echo_via_pager", "print_exception"}
CONSOLES = {"Console", "Table", "Progress", "Live", "Panel"}
WHERE = {
    "keras_csg_cli.printing": {"echo"},
    "keras_csg_cli.tables": {"print", "Console"},
    "keras_csg_cli.tracking": {"print", "Console"},
    # What a bug is mended by; the streams clean it.
    "keras_csg_cli.export_output": {"print_exception"},
}
ON_STREAMS = {"keras_csg_cli.clean_output", "keras_csg_cli.streams"}


@pytest.mark.parametrize("name", modules("keras_csg_cli"))
def test_commands_print_in_one_way(name):
    tree = parse(modules("keras_csg_cli")[name])
    found = {*_called(tree), *_from_rich(tree)}
    assert found <= WHERE.get(name, set()), (
        "print_line, print_json, Table and print_on are what prints"
    )
    assert name in ON_STREAMS or not _written_to_streams(tree)


def test_what_prints_on_its_own_is_noticed():
    for code in ("import click\nclick.echo(1)", "print(1)", "console.print(1)"):
        assert _called(ast.parse(code))
    assert _from_rich(ast.parse("from rich.table import Table"))
    assert _from_rich(ast.parse("import rich.console"))
    assert _written_to_streams(ast.parse("import sys\nsys.stdout.write(1)"))


def _called(tree):
    calls = (n.func for n in ast.walk(tree) if isinstance(n, ast.Call))
    names = (getattr(f, "attr", getattr(f, "id", "")) for f in calls)
    return {name for name in names if name in PRINTING}


def _from_rich(tree):
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] == "rich":
                found |= {a.name for a in node.names} & CONSOLES
        elif isinstance(node, ast.Import):
            names = {a.name for a in node.names}
            # Only to derive what cleans.
            found |= names & {"rich", "rich.console"}
    return found


def _written_to_streams(tree):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("write", "writelines")
        and getattr(node.value, "attr", "") in ("stdout", "stderr")
    ]
