"""A model without numbers is a failure of the server, never class 0."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.serving import stand_in
from tests.serving.stand_in import Colours, arrays, as_json, check, post
from tests.serving.test_grpc import asking, raw

import grpc  # isort: skip

from keras_csg.serving.numbers import answer_each


class Broken(Colours):
    """Has no numbers for images that are all of one value."""

    def _run(self, images):
        answers = super()._run(images)
        broken = (images == 7).all(axis=(1, 2, 3)) | (images > 1e30).any(
            axis=(1, 2, 3)
        )
        answers["probabilities"][broken] = np.nan
        return answers


def sevens(count=1):
    return np.full((count, *stand_in.SHAPE), 7, "float32")


def test_no_numbers_are_a_500_in_one_line():
    lines = []
    with stand_in.served(Broken(), lines) as server:
        status, answer = post(server.port, as_json(sevens()))
        assert status == 500
        assert answer["error"].startswith(
            "The model's probabilities are no num"
        )
        assert "\n" not in answer["error"]
    refused = [line for line in lines if "no numbers" in line]
    assert refused and all("\n" not in line for line in refused)


def test_an_image_file_without_numbers_is_a_500():
    stream = io.BytesIO()
    Image.new("RGB", (5, 4), (7, 7, 7)).save(stream, "PNG")
    with stand_in.served(Broken()) as server:
        status, answer = post(server.port, stream.getvalue())
        assert status == 500 and "no numbers" in answer["error"]


def test_pixels_that_are_none_are_the_clients_fault():
    images = sevens()
    images[0, 0, 0, 0] = 1e38
    with stand_in.served(Broken()) as server:
        status, answer = post(server.port, as_json(images))
        assert status == 400 and "must be in 0..255" in answer["error"]


def test_others_of_the_same_batch_have_their_answers():
    images = stand_in.some_images(3)
    mixed = np.concatenate([images[:1], sevens(), images[1:]])
    answers = answer_each(Broken(), mixed)
    assert np.isnan(answers["probabilities"][1]).all()
    whole = {n: v[[0, 2, 3]] for n, v in answers.items()}
    check(whole, images)


def test_a_request_with_one_such_image_is_refused_as_a_whole():
    images = np.concatenate([stand_in.some_images(1), sevens()])
    with stand_in.served(Broken()) as server:
        status, answer = post(server.port, as_json(images))
        assert status == 500 and "no numbers" in answer["error"]
        good = stand_in.some_images(2)
        _, answer = post(server.port, as_json(good))
        check(arrays(answer), good)


def test_a_model_that_never_has_numbers_is_not_served():
    class Dead(Colours):
        def _run(self, images):
            answers = super()._run(images)
            answers["heatmap"][...] = np.inf
            return answers

    with pytest.raises(ValueError, match="heatmap are no numbers"):
        with stand_in.served(Dead()):
            pass


def test_over_grpc_it_is_internal():
    with stand_in.served(Broken(), grpc_port=0) as server:
        with asking(server) as ask, pytest.raises(grpc.RpcError) as raised:
            ask("ModelInfer", **raw(sevens()))
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert "no numbers" in raised.value.details()
