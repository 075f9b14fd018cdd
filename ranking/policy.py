"""The policy of the ranking: every weight, quota, cap and share by which slates are made, as data.

Activated by an event, so that each slate can be re-made by the policy of then. `DEFAULT` rules
until one is. Creation is the objective: what is remixed, cast and followed by a video of one's own
outweighs all else, and watching only guards against what nobody wants to see.
"""

import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any, Literal, Self, cast

import msgspec

from domain.ranking.errors import PolicyInvalid
from domain.video.labels import LABELS

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
# Far above what floating-point numbers cannot divide by.
Positive = Annotated[float, msgspec.Meta(ge=1e-6, le=1000)]
Odds = Annotated[float, msgspec.Meta(gt=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2000)]
Version = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9.-]*$")
]
Verdict = Literal["allow", "interstitial", "drop"]

# What a weight is the worth of; what nobody wants can only be worth less than nothing.
WANTED = (
    "watch",
    "complete",
    "rewatch",
    "like",
    "comment",
    "share",
    "follow",
    "remix",
    "cameo_use",
    "create_24h",
)
UNWANTED = ("quick_skip", "less", "report")
ACTIONS = (*WANTED, *UNWANTED)

SOURCES = (
    "following",
    "trending",
    "taste",
    "coview",
    "lineage",
    "cameo_friends",
    "fresh",
    "steered",
)


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a policy: what it does not know it refuses."""


class LabelRule(_Part, frozen=True):
    """What follows from a label, for adults and for minors."""

    adult: Verdict
    minor: Verdict


class Diversity(_Part, frozen=True):
    """How unlike one another the videos of a slate are, and how many of a kind stand together.

    `theta` weighs worth against unlikeness. Likeness is summed of the same author, the same line,
    alike prompts and the same cameos. The last `carried` that were served count as chosen, each
    by `carry_decay` less than the one after it. Within any `window` in a row there are at most so
    many of an author, a line, a topic. Lines that were shown in the last `line_memory_h` hours
    count among those shown.
    """

    theta: Share = 0.75
    pool: Annotated[int, msgspec.Meta(ge=1, le=400)] = 150
    author: Share = 0.25
    line: Share = 0.2
    prompt: Share = 0.3
    cameo: Share = 0.15
    carried: Annotated[int, msgspec.Meta(ge=0, le=100)] = 30
    carry_decay: Share = 0.95
    window: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    author_max: Annotated[int, msgspec.Meta(ge=1, le=60)] = 2
    line_max: Annotated[int, msgspec.Meta(ge=1, le=60)] = 2
    topic_max: Annotated[int, msgspec.Meta(ge=1, le=60)] = 4
    line_memory_h: Annotated[int, msgspec.Meta(ge=0, le=720)] = 24


class AuthorDecay(_Part, frozen=True):
    """The odds of an author's next video: `factor` of the one before, `floor` of the first."""

    factor: Odds = 0.6
    floor: Odds = 0.3


class LineDecay(_Part, frozen=True):
    """The same of a line: who has seen it does not want ten remixes of it."""

    factor: Odds = 0.5
    floor: Odds = 0.25


class TopicDecay(_Part, frozen=True):
    """The same of a topic, and slower: one may well like what much of a page is about."""

    factor: Odds = 0.9
    floor: Odds = 0.4


class Exploration(_Part, frozen=True):
    """What is left to chance, so that it can be learnt what else people would like.

    In a `share` of requests the order is drawn (Plackett-Luce, at a `temperature`). The slots from
    `slot_first` on, every `slot_step`th, show new videos and new creators: of a `pool` of them,
    each with a probability of `floor` at least. A new video is one that was shown less than
    `guarantee` times, a new creator one all of whose videos were shown less than
    `creator_guarantee` times; `alpha` and `beta` are what is believed of one before it is shown.
    """

    share: Share = 0.05
    temperature: Positive = 0.25
    slot_first: Annotated[int, msgspec.Meta(ge=1, le=60)] = 4
    slot_step: Annotated[int, msgspec.Meta(ge=1, le=60)] = 8
    pool: Annotated[int, msgspec.Meta(ge=0, le=64)] = 20
    floor: Annotated[float, msgspec.Meta(ge=0, le=0.2)] = 0.01
    guarantee: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 100
    creator_guarantee: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 500
    alpha: Positive = 0.75
    beta: Positive = 49.25


class Steering(_Part, frozen=True):
    """What a rule that people set for their feed does, at a strength of 1; at less, its share.

    More of something adds up to `boost` standard deviations to its worth, and promises it up to the
    `promised` share of any first places of a slate; all promises together are of `promised_max`.
    Less of it takes up to `damp` from its worth; the weakest such rule leaves the share `left` of
    any first places, the strongest none.
    """

    boost: Annotated[float, msgspec.Meta(ge=0, le=4)] = 3.0
    promised: Share = 0.7
    promised_max: Share = 0.8
    # Worths lie close together: with half a standard deviation less, hardly anything of a subject
    # would be left to a page, whatever share a weak limit leaves it.
    damp: Annotated[float, msgspec.Meta(ge=0, le=4)] = 0.25
    left: Share = 0.2


class Limits(_Part, frozen=True):
    """How many videos go how far in a request."""

    candidates: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 500
    second: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


def _quotas() -> dict[str, int]:
    counts = (200, 40, 120, 150, 40, 40, 40, 60)
    return dict(zip(SOURCES, counts, strict=True))


def _weights() -> dict[str, float]:
    return {
        "watch": 0.1,
        # Short videos are completed and long ones left early, whatever is in them.
        "complete": 0.01,
        "rewatch": 0.02,
        "like": 1.5,
        "comment": 1.0,
        "share": 1.0,
        "follow": 1.0,
        "remix": 20.0,
        "cameo_use": 20.0,
        "create_24h": 16.0,
        "quick_skip": -0.02,
        "less": -10.0,
        "report": -200.0,
    }


def _labels() -> dict[str, LabelRule]:
    return {
        "mature": LabelRule(adult="interstitial", minor="drop"),
        "graphic": LabelRule(adult="interstitial", minor="drop"),
        "disturbing": LabelRule(adult="interstitial", minor="drop"),
        "flashing": LabelRule(adult="interstitial", minor="interstitial"),
        "political": LabelRule(adult="allow", minor="allow"),
        "misleading": LabelRule(adult="interstitial", minor="drop"),
        "spam": LabelRule(adult="drop", minor="drop"),
    }


class Policy(_Part, frozen=True):
    """How slates are made.

    `quotas` say how many candidates each source may bring, `weights` what each action is worth,
    `labels` what follows from a label; of those that are not named, the default holds: nobody takes
    the rule for one label away by giving that for another. `perturbation` is the sigma by which
    each viewer's weights stand off from these, up or down by their hash: a standing experiment on
    every weight.
    """

    version: Version
    size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 60
    limits: Limits = Limits()
    quotas: dict[str, Count] = msgspec.field(default_factory=_quotas)
    weights: dict[str, float] = msgspec.field(default_factory=_weights)
    labels: dict[str, LabelRule] = msgspec.field(default_factory=_labels)
    diversity: Diversity = Diversity()
    author_decay: AuthorDecay = AuthorDecay()
    line_decay: LineDecay = LineDecay()
    topic_decay: TopicDecay = TopicDecay()
    exploration: Exploration = Exploration()
    steering: Steering = Steering()
    perturbation: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.0

    def __post_init__(self) -> None:
        """Fill in what is not named."""
        msgspec.structs.force_setattr(self, "quotas", _quotas() | self.quotas)
        msgspec.structs.force_setattr(self, "weights", _weights() | self.weights)
        msgspec.structs.force_setattr(self, "labels", _labels() | self.labels)

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read a policy from JSON. What is left out is as in `DEFAULT`.

        Raises:
            PolicyInvalid: it is no JSON, a field is unknown or out of its bounds, or a weight has
                the wrong sign.
        """
        try:
            policy = msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PolicyInvalid(f"The policy cannot be read: {error}") from error
        return policy.checked()

    @classmethod
    def recorded(cls, text: str) -> Self:
        """Read a policy from the log. What there was not yet when it was recorded has no effect.

        Raises:
            PolicyInvalid: as `decode`.
        """
        policy = cls.decode(text)
        known: Mapping[str, Any] = msgspec.json.decode(text)
        return msgspec.structs.replace(
            policy,
            line_decay=policy.line_decay if "line_decay" in known else _NO_LINE_DECAY,
            topic_decay=policy.topic_decay if "topic_decay" in known else _NO_TOPIC_DECAY,
            steering=policy.steering if "steering" in known else _NO_PROMISES,
        )

    def encode(self) -> str:
        """Return the policy as JSON with every field, in one and the same order."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def patched(self, patch: Mapping[str, Any]) -> Self:
        """Return the policy with what a merge patch (RFC 7396) changes.

        Raises:
            PolicyInvalid: it cannot be like this.
        """
        fields = _merge(msgspec.to_builtins(self), patch)
        try:
            return msgspec.convert(fields, type(self)).checked()
        except msgspec.ValidationError as error:
            raise PolicyInvalid(f"The policy cannot be changed like this: {error}") from error

    def for_viewer(self, viewer: bytes) -> Mapping[str, float]:
        """Return the weights that hold for a viewer, in the order of the actions."""
        weights = {action: self.weights.get(action, 0.0) for action in ACTIONS}
        if not self.perturbation:
            return weights
        up, down = math.exp(self.perturbation), math.exp(-self.perturbation)
        signs = blake2b(viewer, digest_size=2, key=self.version.encode()).digest()
        bits = int.from_bytes(signs)
        return {
            action: weight * (up if bits >> place & 1 else down)
            for place, (action, weight) in enumerate(weights.items())
        }

    def checked(self) -> Self:
        """Return the policy if its parts go together.

        Raises:
            PolicyInvalid: they do not; the detail names the field.
        """
        _require_known("quotas", self.quotas, SOURCES)
        _require_known("weights", self.weights, ACTIONS)
        _require_known("labels", self.labels, LABELS)
        for action, weight in self.weights.items():
            if not math.isfinite(weight) or abs(weight) > 10_000:  # noqa: PLR2004 - far beyond use
                raise PolicyInvalid(f"`weights.{action}` is not a number within ±10,000.")
            if action in UNWANTED and weight > 0:
                raise PolicyInvalid(f"`weights.{action}` is of what nobody wants: at most 0.")
            if action in WANTED and weight < 0:
                raise PolicyInvalid(f"`weights.{action}` is of what people want: at least 0.")
        # A slate that is not full is taken for the last there is.
        if self.size > min(self.limits.candidates, self.limits.second, self.diversity.pool):
            raise PolicyInvalid(
                "`size` is at most `limits.candidates`, `limits.second` and `diversity.pool`."
            )
        likeness = self.diversity
        if likeness.author + likeness.line + likeness.prompt + likeness.cameo > 1:
            raise PolicyInvalid("`diversity`: author, line, prompt and cameo are 1 in all at most.")
        if self.exploration.floor * self.exploration.pool > 1:
            raise PolicyInvalid("`exploration`: `floor` for each of `pool` is 1 in all at most.")
        for name in ("author_decay", "line_decay", "topic_decay"):
            decay: AuthorDecay | LineDecay | TopicDecay = getattr(self, name)
            if decay.floor > decay.factor:
                raise PolicyInvalid(f"`{name}`: `floor` is at most `factor`.")
        return self


# Until there was such a thing, and so in every policy that was recorded without.
_NO_LINE_DECAY, _NO_TOPIC_DECAY = LineDecay(factor=1, floor=1), TopicDecay(factor=1, floor=1)
_NO_PROMISES = Steering(promised=0)

DEFAULT = Policy(version="default-3")

FORMER: Mapping[str, Policy] = {
    "default-1": Policy(
        version="default-1",
        diversity=Diversity(theta=0.65),
        author_decay=AuthorDecay(factor=0.5, floor=0.25),
        line_decay=_NO_LINE_DECAY,
        topic_decay=_NO_TOPIC_DECAY,
        steering=_NO_PROMISES,
    ),
    "default-2": Policy(version="default-2", steering=_NO_PROMISES),
}
"""What ruled by default in earlier releases: slates in the log were made by it."""


def _require_known(field: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise PolicyInvalid(f"`{field}.{name}` is unknown; there are {', '.join(known)}.")


def _merge(fields: object, patch: object) -> object:
    """Apply a merge patch: an object changes an object field by field, null takes a field out."""
    if not isinstance(patch, Mapping):
        return patch
    changes = cast("Mapping[str, object]", patch)
    merged = dict(cast("Mapping[str, object]", fields)) if isinstance(fields, Mapping) else {}
    for name, change in changes.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), change)
    return merged
