"""Every command with every option given what is no value for it."""

import os
import signal

import click
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from keras_csg_cli.main import cli
from tests.fuzz.wrong_values import write_garbage, wrong_values

SEED = int(os.environ.get("KERAS_CSG_FUZZ_SEED", "0"))
SECONDS = 60
QUICK, MANY = 6, 100
SERVING = ("serve", "app")
"""Commands that go on for ever if nothing is wrong."""


def commands():
    """Returns every command by its words, such as `detect fit`."""
    found = {}
    for name, command in cli.commands.items():
        if isinstance(command, click.Group):
            for inner, one in command.commands.items():
                found[name, inner] = one
        else:
            found[(name,)] = command
    return found


COMMANDS = commands()


def cases(words):
    """Returns a strategy of command lines, all but one or two things right."""
    parameters = [
        parameter
        for parameter in COMMANDS[words].params
        if not getattr(parameter, "is_flag", False)
    ]
    if not parameters:
        return st.just([("", "")])
    one = st.sampled_from(parameters).flatmap(
        lambda p: st.tuples(st.just(p.name), wrong_values(p.type))
    )
    return st.lists(one, min_size=1, max_size=2, unique_by=lambda c: c[0])


def command_line(words, right, wrong):
    """Returns the arguments, with what is right where nothing is wrong."""
    wrong = dict(wrong)
    given = [*words]
    behind = []
    for parameter in COMMANDS[words].params:
        name = parameter.name
        if name not in wrong and name not in right:
            continue
        value = wrong.get(name, right.get(name))
        if isinstance(parameter, click.Argument):
            behind.append(str(value))
        else:
            given += [max(parameter.opts, key=len), str(value)]
    return [*given, "--", *behind]


def stopped(number, frame):
    raise TimeoutError(f"the command took more than {SECONDS} s")


@pytest.fixture
def right(tiny_run, taken_port, tmp_path, monkeypatch):
    """What is right for each parameter that a command cannot do without."""
    monkeypatch.chdir(tmp_path)
    write_garbage(tmp_path)
    return {
        "run": tiny_run,
        "model_path": tiny_run,
        "source": tiny_run,
        "data": "digits",
        "image_size": 8,
        "epochs": 1,
        "limit": 20,
        "port": taken_port,
        "images": "garbage.png",
    }


def check(run_cli, words, right, wrong, folder):
    """Runs a command line: it does it, or says what is wrong in one line."""
    before = sorted(folder.rglob("*"))
    line = command_line(words, right, wrong)
    signal.signal(signal.SIGALRM, stopped)
    signal.alarm(SECONDS)
    try:
        code, out, err = run_cli(*line)
    finally:
        signal.alarm(0)
    said = f"{line}\nexit {code}\n{out}\n{err}"
    assert code in (0, 2), said
    assert "Traceback" not in out + err, said
    assert "\x1b" not in err, said
    if code == 2:
        errors = [row for row in err.splitlines() if row.startswith("Error")]
        assert len(errors) == 1, said
        assert err.splitlines()[-1] == errors[0], said
        assert sorted(folder.rglob("*")) == before, said


def fuzzed(words, examples):
    """Returns the test of a command, with so many cases."""

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(wrong=cases(words))
    def one(run_cli, right, tmp_path, wrong):
        check(run_cli, words, right, wrong, tmp_path)

    return one


IDS = [" ".join(words) for words in COMMANDS]


@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_what_is_no_value_is_one_line(words, run_cli, right, tmp_path):
    fuzzed(words, QUICK)(run_cli=run_cli, right=right, tmp_path=tmp_path)


@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_a_name_no_disk_takes_is_one_line(words, run_cli, right, tmp_path):
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Argument):
            wrong = [(parameter.name, "a" * 300)]
            check(run_cli, words, right, wrong, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_many_values_that_are_none_are_one_line(
    words, run_cli, right, tmp_path
):
    fuzzed(words, MANY)(run_cli=run_cli, right=right, tmp_path=tmp_path)
