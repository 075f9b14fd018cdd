"""A model: what training makes, as one file that is named by its content.

Stage 1 is linear, stage 2 forests; a head too rare for trees is a smoothed rate among the features.
A file that is cut short, changed, or made for other features is refused.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.features import FEATURES, INDEX, VERSION
from ranking.forest import INNER, LEAVES, Forest, across
from ranking.heads import HEADS
from ranking.linear import Linear, probability
from ranking.relative import RELATIVE, to_features, with_relative
from ranking.utility import centred, utility, worths

Matrix = NDArray[np.float32]

FORMAT = 1
WIDTH = len(FEATURES) + len(RELATIVE)
ORDER = "order"
"""The forest that corrects the effects: together they tell best what goes before what."""

_EFFECT = INDEX["effect_all"]

BYTES_MAX = 256 * 2**20
"""No file is larger, and none unpacks to more."""
_FOREST_PARTS = ("columns", "limits", "leaves", "means")


class ModelRefused(ValueError):
    """The file is no model that can rank here; the message says why."""


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a head's raw score becomes log odds that can be believed: `slope * raw + shift`.

    `column` is the feature that a rare head takes its rate from, and then `slope` multiplies the
    rate itself; -1 for a head with a forest. `order` is by how much the differences within a slate
    are those of the effects as the order forest corrects them, instead of the head's own.
    """

    slope: float
    shift: float = 0.0
    column: int = -1
    order: float = 0.0


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says of itself."""

    format: int
    features: str
    heads: tuple[str, ...]
    scales: tuple[Scale, ...]
    starts: dict[str, float]
    trained_until_ms: int
    trained_on: dict[str, int]
    figures: dict[str, float]


class _TrainedOn(msgspec.Struct, frozen=True):
    """What can be read of the card of any version."""

    features: str


@dataclass(frozen=True)
class Model:
    """A trained ranker; see `ranking.ranker.Ranker`."""

    card: Card
    linear: Linear
    forests: Mapping[str, Forest]
    affinities: Affinities | None
    digest: str = field(default="")

    def first(self, features: Matrix) -> Matrix:
        """Predict by the linear heads."""
        return probability(self.linear.log_odds(features)).astype(np.float32)

    def second(self, features: Matrix, slates: NDArray[np.int64] | None = None) -> Matrix:
        """Predict by the forests and rates, (rows, heads) float32.

        `slates` says which rows are compared with one another; all are if it is left out.
        """
        return self.of_rows(with_relative(features, slates), slates)

    def of_rows(self, rows: Matrix, slates: NDArray[np.int64] | None = None) -> Matrix:
        """Predict the same of rows that have their relative features behind them."""
        columns = across(rows)
        predictions = np.empty((len(rows), len(HEADS)), np.float32)
        for place, (head, scale) in enumerate(zip(HEADS, self.card.scales, strict=True)):
            predictions[:, place] = self._predicted(head.name, scale, rows, columns, slates)
        return predictions

    def utility(self, predictions: Matrix, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """Return what each candidate is worth, centred."""
        return utility(predictions, weights)

    def contributions(
        self, features: Matrix, weights: Mapping[str, float], predictions: Matrix
    ) -> Matrix:
        """Return what each feature adds to what a candidate is worth, (rows, features).

        Along the trees, and by how steep the odds are where the candidate stands.
        """
        return self.contributions_of_rows(with_relative(features), weights, predictions)

    def contributions_of_rows(
        self, rows: Matrix, weights: Mapping[str, float], predictions: Matrix
    ) -> Matrix:
        """Return the same of rows that have their relative features behind them."""
        if not len(rows):
            return np.zeros((0, len(FEATURES)), np.float32)
        columns = across(rows)
        total = np.zeros((WIDTH, len(rows)))
        for place, worth in enumerate(worths(weights)):
            scale, name = self.card.scales[place], HEADS[place].name
            if not worth:
                continue
            if name not in self.forests:
                if scale.column >= 0:
                    by = rows[:, scale.column].astype(np.float64) * scale.slope
                    total[scale.column] += worth * (by - by.mean())
                continue
            likely = predictions[:, place].astype(np.float64)
            steep = worth * scale.slope * likely * (1 - likely)
            moved = self.forests[name].contributions_across(columns)[:, : len(rows)]
            if scale.order:
                order = self.forests[ORDER].contributions_across(columns)[:, : len(rows)]
                effect = rows[:, _EFFECT].astype(np.float64)
                order[_EFFECT] += effect - effect.mean()
                moved += scale.order * (order - moved)
            total += steep * moved
        return to_features(total.T, len(FEATURES)).astype(np.float32)

    def encode(self) -> bytes:
        """Return the file. Equal models have equal files."""
        arrays: dict[str, NDArray[np.generic]] = {
            "card": np.frombuffer(msgspec.json.encode(self.card, order="deterministic"), np.uint8)
        }
        arrays |= {f"linear.{name}": part for name, part in self.linear._asdict().items()}
        for name, forest in self.forests.items():
            arrays |= {f"forest.{name}.{part}": getattr(forest, part) for part in _FOREST_PARTS}
        if self.affinities is not None:
            arrays |= self.affinities.arrays()
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in sorted(arrays.items()):
                entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                part = io.BytesIO()
                np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
                archive.writestr(entry, part.getvalue())
        return file.getvalue()

    @classmethod
    def load(cls, blob: bytes, digest: str | None = None) -> Self:
        """Read a file.

        Args:
            blob: the file.
            digest: the SHA-256 it must have, hexadecimal, if that is known.

        Raises:
            ModelRefused: it is no model, not whole, not the one that was asked for, or made for
                other features or heads.
        """
        found = sha256(blob).hexdigest()
        if digest is not None and digest != found:
            raise ModelRefused(f"the file has the digest {found}, not {digest}")
        try:
            return cls._read(_arrays(blob), found)
        except ModelRefused:
            raise
        except Exception as error:  # whatever an archive that nobody knows does to its readers
            raise ModelRefused(f"the file cannot be read: {error or type(error)}") from error

    @classmethod
    def _read(cls, arrays: Mapping[str, NDArray[np.generic]], digest: str) -> Self:
        card = _card(arrays)
        linear = Linear(*(_part(arrays, f"linear.{name}", np.float64) for name in Linear._fields))
        shapes = (len(FEATURES),), (len(FEATURES),), (len(FEATURES), len(HEADS)), (len(HEADS),)
        if tuple(part.shape for part in linear) != shapes:
            raise ModelRefused("the linear heads are not of the features' shape")
        if not (linear.scales > 0).all():
            raise ModelRefused("the linear heads divide by nothing")
        forests = {name: _forest(arrays, name, start) for name, start in card.starts.items()}
        affinities = Affinities.of(arrays) if "shown.videos" in arrays else None
        return cls(card, linear, forests, affinities, digest)

    def _predicted(
        self,
        name: str,
        scale: Scale,
        rows: Matrix,
        columns: Matrix,
        slates: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        if name not in self.forests:
            if scale.column < 0:
                return np.full(len(rows), scale.slope)
            return np.clip(rows[:, scale.column].astype(np.float64) * scale.slope, 0.0, 1.0)
        raw = self.forests[name].score_across(columns)[: len(rows)]
        if scale.order:
            corrected = self.forests[ORDER].score_across(columns)[: len(rows)]
            order = rows[:, _EFFECT].astype(np.float64) + corrected
            raw += scale.order * centred(order - raw, slates)
        return probability(scale.slope * raw + scale.shift)


def _arrays(blob: bytes) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a file, refusing what unpacks to more than a model would."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        if max(len(blob), sum(entry.file_size for entry in archive.infolist())) > BYTES_MAX:
            raise ModelRefused("the file is larger than any model")
        return {
            entry.filename.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(archive.read(entry)), allow_pickle=False
            )
            for entry in archive.infolist()
        }


def _card(arrays: Mapping[str, NDArray[np.generic]]) -> Card:
    written: Any = arrays.get("card", np.zeros(0, np.uint8))
    try:
        trained = msgspec.json.decode(written.tobytes(), type=_TrainedOn)
        if trained.features != VERSION:
            raise ModelRefused(
                f"it was trained on features {trained.features}; these are {VERSION}"
            )
        card = msgspec.json.decode(written.tobytes(), type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"its card cannot be read: {error}") from error
    heads = tuple(head.name for head in HEADS)
    if card.format != FORMAT or card.heads != heads or len(card.scales) != len(heads):
        raise ModelRefused("it predicts other heads than these, or is of another format")
    if any(scale.order and ORDER not in card.starts for scale in card.scales):
        raise ModelRefused("it has no order forest, and needs one")
    if any(scale.column >= len(FEATURES) for scale in card.scales):
        raise ModelRefused("it takes a rate from a feature there is not")
    return card


def _part(
    arrays: Mapping[str, NDArray[np.generic]], name: str, kind: type[np.generic]
) -> NDArray[Any]:
    array = arrays.get(name)
    if array is None or array.dtype != kind:
        raise ModelRefused(f"it has no {name} as it must be")
    is_limit = name.endswith(".limits")  # a tree that ends early goes left of infinity
    if array.dtype.kind == "f" and (np.isnan(array) if is_limit else ~np.isfinite(array)).any():
        raise ModelRefused(f"{name} holds what is no number")
    return array


def _forest(arrays: Mapping[str, NDArray[np.generic]], name: str, start: float) -> Forest:
    forest = Forest(
        columns=_part(arrays, f"forest.{name}.columns", np.int32),
        limits=_part(arrays, f"forest.{name}.limits", np.float32),
        leaves=_part(arrays, f"forest.{name}.leaves", np.float64),
        means=_part(arrays, f"forest.{name}.means", np.float64),
        start=start,
    )
    trees = len(forest.columns)
    shapes = (trees, INNER), (trees, INNER), (trees, LEAVES), (trees, INNER)
    if tuple(getattr(forest, part).shape for part in _FOREST_PARTS) != shapes:
        raise ModelRefused(f"the trees of {name} are not of one shape")
    if trees and not (0 <= forest.columns.min() <= forest.columns.max() < WIDTH):
        raise ModelRefused(f"the trees of {name} ask for a feature there is not")
    return forest
