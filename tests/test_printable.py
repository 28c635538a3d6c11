"""Names are data: nothing acts on a terminal, a page or a picture."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_csg.plots as plots
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.deployment.metadata import labels_text
from keras_csg.files import free_path
from keras_csg.plots.names import literal_names
from keras_csg.printable import MOST_SHOWN, printable, shortened
from keras_csg.reports.rendering import html_environment, script_json
from tests.source_tree import ROOT

NASTY = {
    "\x1b]0;owned\x07": r"\x1b]0;owned\x07",
    "a\x1b[31mred": r"a\x1b[31mred",
    "a\x9b31m": r"a\x9b31m",  # The same in one character.
    "a\rb": r"a\rb",
    "a\nError: b": r"a\nError: b",
    "\u202egpj.exe": r"\u202egpj.exe",
    "a\u2066b": r"a\u2066b",
    "a\u2028b": r"a\u2028b",
    "z\udce9bre": r"z\xe9bre",
    "a\ud800": r"a\ud800",
    "a\x00b\x7f": r"a\x00b\x7f",
}
PLAIN = ["cat", "grün", "日本", "[red]", "<b>$x$", "कि\u200dताब", "👩\u200d🔬"]


@pytest.mark.parametrize("name, shown", NASTY.items(), ids=map(ascii, NASTY))
def test_what_would_do_something_is_shown_by_number(name, shown):
    assert printable(name) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize("name", PLAIN)
def test_names_in_any_script_stay(name):
    assert printable(name) == name


def test_labels_have_a_line_a_class_whatever_they_are_called():
    names = [*NASTY, *PLAIN, "\n", "\r\n\x85"]
    lines = labels_text(names).encode("utf-8").decode().split("\n")
    assert len(lines) == len(names) + 1 and lines[-1] == ""
    assert all(printable(line) == line for line in lines)


def test_nothing_of_it_is_in_a_page():
    page = html_environment().from_string("<p>{{ name }}</p>")
    for name, shown in NASTY.items():
        text = page.render(name=name)
        assert printable(text, "\n") == text
        if "\n" not in name:
            assert shown in text
        json_text = str(script_json({"name": name}))
        assert printable(json_text) == json_text


def test_nothing_of_it_is_in_a_picture(tmp_path):
    names = [*NASTY][:4]
    shown = literal_names(NASTY)
    assert all(printable(name) == name for name in shown)
    matrix = np.eye(4)
    plots.save_gate(matrix, ["z\udce9bre", *names[1:]], tmp_path / "gate.png")
    plots.save_confusion(matrix, names, tmp_path / "confusion.png")
    assert (tmp_path / "gate.png").exists()


def test_nothing_of_it_is_in_the_name_of_a_file(tmp_path):
    for name, shown in NASTY.items():
        assert free_path(tmp_path, name, ".png", set()).name == f"{shown}.png"


PRINTS = """
import sys, warnings
import click
from keras_csg_cli import main
from keras_csg_cli.options import say
NAME = {name!a}
@click.command()
def show():
    from keras_csg_cli.printing import print_line
    from keras_csg_cli.tables import Table, print_table
    from keras_csg_cli.tracking import tracking
    print_line(NAME)
    say(NAME)
    print(NAME)
    warnings.warn(NAME)
    table = Table("class", title=NAME)
    table.add_row(NAME)
    print_table(table)
    with tracking() as track:
        list(track([1], NAME))
    raise click.ClickException(NAME)
main.cli.add_command(show)
main.main(["show"])
"""


def printed_on_a_terminal(code):
    """Returns all that a program writes to a terminal."""
    pty = pytest.importorskip("pty", reason="a terminal of POSIX")
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200"},
        cwd=ROOT,
    )
    os.close(terminal)
    parts = []
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(controller)
    return b"".join(parts)


def test_nothing_of_it_reaches_a_terminal():
    name = "cat\x1b]0;owned\x07\u202e[red]\udce9\x9b"
    text = printed_on_a_terminal(PRINTS.format(name=name))
    assert b"Traceback" not in text
    assert text.count(rb"\x1b]0;owned\x07\u202e[red]\xe9\x9b") >= 6
    for raw in (b"\x1b]0", b"\x07", "\u202e".encode(), "\x9b".encode()):
        assert raw not in text
    assert b"\xe9" not in text
    lines = text.decode().replace("\r\n", "\n")
    assert "\n\nError" not in lines


@pytest.mark.parametrize("value", ["x" * 10_000, " ".join(["word"] * 3000)])
def test_values_in_errors_are_cut(value):
    with pytest.raises(InputError) as raised, input_errors():
        raise ValueError(f"`name` must be short. Received: name={value}")
    assert len(str(raised.value)) < MOST_SHOWN + 60
    assert str(raised.value).startswith("`name` must be short. Received: name=")


def test_messages_of_usual_length_stay():
    text = f"Cannot read {'/folder' * 20}/x.png: it is empty. Received: 5"
    assert shortened(text) == text
    assert len(shortened("word " * 10_000)) < 2100


def test_a_picture_that_cannot_be_drawn_costs_no_model(
    tmp_path, tiny_name, monkeypatch
):
    from keras_csg import commands

    def fail(*args, **kwargs):
        raise RuntimeError("no\nfont")

    monkeypatch.setattr(plots, "save_confusion", fail)
    lines = []
    trainer = commands.set_up_training(
        tmp_path / "run",
        data="digits",
        backbone=tiny_name,
        image_size=8,
        epochs=1,
        loggers="none",
        log=lines.append,
    )
    trainer.train()
    assert keras.saving.load_model(tmp_path / "run/model.keras")
    (line,) = [x for x in lines if x.startswith("Warning")]
    assert line.endswith("confusion.png could not be drawn: no font")
    for name in ("curves.png", "gate.png", "ablation.png", "metrics.json"):
        assert (tmp_path / "run" / name).exists()


def test_a_byte_that_is_no_text_is_shown_by_number():
    name = os.fsdecode(b"\xff\xfe")
    assert printable(name) == r"\xff\xfe"
    # As JSON and `repr` have it already, which programs read.
    assert printable(json.dumps(name)) == r'"\udcff\udcfe"'
