"""The files that containers are made of: what they name is there."""

import importlib.metadata
import re
import tomllib

import pytest

from tests.source_tree import ROOT

FOLDER = ROOT / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = re.compile(r"[\w-]+")


def instructions():
    """Returns the Dockerfile's instructions, `(name, rest)`."""
    text = (FOLDER / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if line[:1] not in ("#", "")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines()]


def requirements(lines):
    """Returns the lower bounds of packages by their names."""
    return {
        NAME.match(line)[0].lower().replace("_", "-"): line
        for line in lines
        if line and not line.startswith("#")
    }


def ours():
    return requirements(
        (FOLDER / "requirements.txt").read_text("utf-8").splitlines()
    )


def test_the_image_has_what_serving_needs_and_its_bounds():
    extra = requirements(PROJECT["optional-dependencies"]["server"])
    needed = requirements(PROJECT["dependencies"]) | extra
    assert extra.keys() <= ours().keys()
    for name, line in ours().items():
        assert line.replace("_", "-") == needed[name].replace("_", "-")


def test_the_image_has_no_framework():
    assert not {"tensorflow", "keras", "onnx", "scipy"} & ours().keys()


def test_what_is_imported_to_serve_is_in_the_image():
    """Whatever of our own requirements a server has loaded is listed."""
    import subprocess
    import sys

    for needed in ("starlette", "uvicorn", "prometheus_client", "grpc"):
        pytest.importorskip(needed, reason="pip install 'keras-csg[server]'")
    code = (
        "import sys, keras_csg.commands.serve, keras_csg.serving.processes\n"
        "import keras_csg_cli.main\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    packages = importlib.metadata.packages_distributions()
    named = {
        distribution.lower().replace("_", "-")
        for module in loaded
        for distribution in packages.get(module, ())
    }
    declared = requirements(PROJECT["dependencies"]).keys()
    assert named & declared <= ours().keys()


def test_what_is_copied_is_there_and_not_ignored():
    kept = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in kept, source


def test_it_runs_as_nobody_in_particular_and_is_asked_for_its_health():
    found = dict(instructions())  # The last of each counts.
    assert found["USER"] == "10001"
    assert "/v2/health/ready" in found["HEALTHCHECK"]
    assert found["STOPSIGNAL"] == "SIGTERM"
    assert found["FROM"].endswith("-slim")
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_the_command_of_the_image_is_one():
    import json

    from keras_csg_cli.serve import serve

    found = dict(instructions())
    program, command, *rest = json.loads(found["ENTRYPOINT"])
    assert (program, command) == ("keras-csg", "serve")
    given = serve.make_context("serve", rest + json.loads(found["CMD"])).params
    assert given["host"] == "0.0.0.0"
    assert {str(given[name]) for name in ("port", "grpc_port")} == set(
        found["EXPOSE"].split()
    )


@pytest.fixture(scope="module")
def services():
    yaml = pytest.importorskip("yaml", reason="pip install pyyaml")
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    return yaml.safe_load(text)["services"]


def test_services_are_built_of_files_that_are_there(services):
    build = services["serve"]["build"]
    context = FOLDER / build["context"]
    assert context.resolve() == ROOT
    assert (context / build["dockerfile"]).is_file()
    assert re.fullmatch(
        r"nvcr\.io/nvidia/tritonserver:\d\d\.\d\d-py3",
        services["triton"]["image"],
    )


def test_services_are_reached_from_this_machine_alone(services):
    for service in services.values():
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:")
        for volume in service["volumes"]:
            assert volume.endswith(":/models:ro")


def test_services_have_time_to_answer_what_has_come(services):
    for service in services.values():
        assert int(service["stop_grace_period"].removesuffix("s")) > 20
