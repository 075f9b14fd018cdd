from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from ranking.effects import Effects
from ranking.features import FEATURES
from ranking.heads import HEAD_INDEX
from ranking.model import Model, ModelRefused
from ranking.policy import DEFAULT
from ranking.training import fitting
from tests.ranking.training.invented import SMALL, exposures

pytest.importorskip("sklearn")


@cache
def blob() -> bytes:
    fitted = fitting.fit(exposures(), None, lambda _: None, until_ms=0, plan=SMALL)
    return fitted.model.encode()


def features(count: int = 50) -> NDArray[np.float32]:
    return np.ascontiguousarray(exposures(count).features[:, : len(FEATURES)])


def changed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    file = BytesIO()
    with ZipFile(BytesIO(blob())) as old, ZipFile(file, "w") as new:
        for entry in old.infolist():
            name = entry.filename.removesuffix(".npy")
            content = BytesIO()
            if name in arrays:
                np.lib.format.write_array(content, arrays[name])
            new.writestr(entry.filename, content.getvalue() or old.read(entry))
    return file.getvalue()


def card_with(**fields: object) -> NDArray[np.uint8]:
    with ZipFile(BytesIO(blob())) as archive:
        card = np.lib.format.read_array(BytesIO(archive.read("card.npy")))
    return np.frombuffer(
        msgspec.json.encode({**msgspec.json.decode(card.tobytes()), **fields}), np.uint8
    )


def test_a_model_read_from_its_file_predicts_the_same_to_the_bit() -> None:
    model = Model.load(blob())

    again = Model.load(model.encode(), model.digest)

    assert again.digest == sha256(blob()).hexdigest()
    assert again.encode() == blob()
    assert (again.first(features()) == model.first(features())).all()
    assert (again.second(features()) == model.second(features())).all()


def test_predictions_are_probabilities_and_what_is_watched_more_is_worth_more() -> None:
    model = Model.load(blob())

    predicted = model.second(features(500))

    assert predicted.dtype == np.float32
    assert (predicted >= 0).all()
    assert (predicted <= 1).all()
    worth = model.utility(predicted, {"watch": 1.0})
    assert np.corrcoef(worth, predicted[:, HEAD_INDEX["watch"]])[0, 1] > 0.99


def test_what_each_feature_adds_makes_up_most_of_what_tells_two_candidates_apart() -> None:
    model, rows = Model.load(blob()), features(400)

    added = model.contributions(rows, {"watch": 1.0}, model.second(rows))

    assert added.shape == rows.shape
    worth = model.utility(model.second(rows), {"watch": 1.0})
    assert np.corrcoef(added.sum(axis=1), worth)[0, 1] > 0.9


def test_nothing_to_rank_is_ranked_as_nothing() -> None:
    model, none = Model.load(blob()), np.zeros((0, len(FEATURES)), np.float32)

    assert model.first(none).shape == model.second(none).shape
    assert model.utility(model.second(none), DEFAULT.weights).shape == (0,)
    assert model.contributions(none, DEFAULT.weights, model.second(none)).shape == none.shape


def test_a_file_that_is_cut_short_is_refused_wherever_that_is() -> None:
    whole = blob()

    for kept in [*range(0, len(whole), 1024), len(whole) - 1]:
        with pytest.raises(ModelRefused):
            Model.load(whole[:kept])


def test_a_file_with_any_byte_changed_is_refused_or_still_a_model_that_predicts() -> None:
    whole, refused = bytearray(blob()), 0

    for place in range(0, len(whole), 211):
        whole[place] ^= 0xFF
        try:
            predicted = Model.load(bytes(whole)).second(features(5))
            assert np.isfinite(predicted).all()
        except ModelRefused:
            refused += 1
        whole[place] ^= 0xFF

    assert refused > 50


def test_a_file_that_is_not_the_one_asked_for_is_refused() -> None:
    with pytest.raises(ModelRefused, match="digest"):
        Model.load(blob(), "0" * 64)


def test_a_model_of_other_features_is_refused_by_the_version() -> None:
    other = changed({"card": card_with(features="0123456789abcdef")})

    with pytest.raises(ModelRefused, match="trained on features 0123456789abcdef"):
        Model.load(other)


@pytest.mark.parametrize(
    "arrays",
    [
        {"card": np.frombuffer(b"{", np.uint8)},
        {"card": np.frombuffer(b"\xff", np.uint8)},
        {"linear.start": np.zeros(3)},
        {"linear.means": np.full(len(FEATURES), np.nan)},
        {"linear.scales": np.zeros(len(FEATURES))},
        {"forest.watch.leaves": np.zeros((1, 3))},
        {"forest.watch.columns": np.full((15, 31), 10_000, np.int32)},
        {"forest.watch.limits": np.zeros((15, 31))},
    ],
)
def test_a_file_with_a_part_that_does_not_fit_is_refused(
    arrays: Mapping[str, NDArray[np.generic]],
) -> None:
    with pytest.raises(ModelRefused):
        Model.load(changed(arrays))


def test_a_file_of_other_heads_is_refused() -> None:
    with pytest.raises(ModelRefused, match="heads"):
        Model.load(changed({"card": card_with(heads=["watch"])}))


def test_effects_survive_a_file_and_parts_that_do_not_fit_are_refused() -> None:
    effects = Effects.empty()._replace(
        videos=np.array([2, 5], np.int32), video=np.array([0.5, -0.5], np.float32)
    )

    again = Effects.of(effects.arrays())

    assert {name: part.tolist() for name, part in again.arrays().items()} == {
        name: part.tolist() for name, part in effects.arrays().items()
    }
    with pytest.raises(ValueError, match="fit together"):
        Effects.of(effects._replace(video=np.zeros(1, np.float32)).arrays())
