"""What users rely on changes on purpose alone."""

from tests import public_api

HOW = f"""

The public names, their signatures or the commands changed (- before, + now).
If that was meant: `{public_api.RENEW}` writes the listing anew; say in the
CHANGELOG what breaks and how to move, and let what goes warn for one minor
version (`keras_csg.version.deprecated`). If not: put it back.
"""


def test_the_public_names_and_commands_are_those_of_the_listing():
    changed = public_api.difference()
    if changed:  # No assert: pytest would print the two lists as well.
        raise AssertionError(HOW + "\n".join(changed))


def test_a_change_of_a_signature_is_noticed(tmp_path):
    package = tmp_path / "keras_csg"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__init__.pyi").write_text(
        "from . import room as room\nfrom .room import act as act\n"
    )
    (package / "room" / "__init__.py").write_text(
        "from keras_csg.room.acts import Thing as Thing\n"
        "from keras_csg.room.acts import act as act\n"
    )
    acts = package / "room" / "acts.py"
    acts.write_text(
        "class Base:\n"
        "    def move(self, far=1) -> int: ...\n"
        "    def _hidden(self): ...\n"
        "class Thing(Base):\n"
        "    size: int = 3\n"
        "    @property\n"
        "    def colour(self) -> str: ...\n"
        "def act(thing: Thing, *, twice: bool = False) -> None: ...\n"
    )
    before = list(public_api.names(tmp_path))
    assert before == [
        "keras_csg.act: keras_csg.room.act",
        "keras_csg.room.Thing: class(Base)",
        "keras_csg.room.Thing.colour: property -> str",
        "keras_csg.room.Thing.move(self, far=1) -> int",
        "keras_csg.room.Thing.size: int = 3",
        "keras_csg.room.act(thing: Thing, *, twice: bool=False) -> None",
    ]
    acts.write_text(acts.read_text().replace("far=1", "far=2"))
    after = list(public_api.names(tmp_path))
    assert set(before) ^ set(after) == {
        "keras_csg.room.Thing.move(self, far=1) -> int",
        "keras_csg.room.Thing.move(self, far=2) -> int",
    }


def test_the_listing_has_what_is_given_out_and_the_commands():
    lines = public_api.LISTING.read_text("utf-8").splitlines()
    starts = {line.split("(")[0].split(":")[0] for line in lines}
    assert {"keras_csg.train", "keras_csg.layers.CSGGate"} <= starts
    assert "keras_csg.models.CSGClassifier.fit" in starts
    assert "keras-csg train --backbone text" in lines
    assert "keras-csg detect fit" in lines
