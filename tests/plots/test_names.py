from keras_csg.plots.names import literal_names


def test_a_name_is_drawn_as_it_is():
    assert literal_names(["$a$", "b"]) == [r"\$a\$", "b"]


def test_a_long_name_loses_its_middle():
    names = literal_names(["a" * 50 + "z" * 50, "b" * 32])
    assert names == ["a" * 15 + "…" + "z" * 15, "b" * 32]
