"""Features: what is known of a candidate when it is ranked, declared once, for live and training.

`State.read` fills a row of them for each candidate, as of the request. A model is fitted on one
`VERSION` of this declaration and refused by another.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from ranking.signals import Signal

DAY_MS = 86_400_000
HOURS_HALF_LIFE_MS = 6 * 3_600_000
DAYS_HALF_LIFE_MS = 2 * DAY_MS


class Feature(NamedTuple):
    """A column of the features. `default` stands where nothing is known."""

    name: str
    unit: str
    default: float
    doc: str


class Rates(NamedTuple):
    """Columns of one kind of counter: how much there is of `base`, then the rates per `base`.

    A rate leans on the same rate of `prior`, other rates of the same candidate that are known more
    broadly, as if that had been seen `strength` times; "" stands for the rates of everything.
    """

    name: str
    base: Signal
    signals: tuple[Signal, ...]
    strength: float
    prior: str
    doc: str


WATCHING = (
    Signal.LONG_WATCHES,
    Signal.COMPLETIONS,
    Signal.QUICK_SKIPS,
    Signal.WATCH_PERMILLE,
    Signal.CLICKS,
    Signal.LIKES,
)
ACTING = (
    Signal.COMMENTS,
    Signal.SHARES,
    Signal.REMIXES,
    Signal.FOLLOWS,
    Signal.LESS,
    Signal.REPORTS,
)
BRIEFLY = (Signal.LONG_WATCHES, Signal.QUICK_SKIPS)
TOGETHER = (*BRIEFLY, Signal.LIKES)
_WATCHES, _SHOWN = Signal.WATCHES, Signal.IMPRESSIONS

VIEWER_EVER = Rates("viewer_ever", _WATCHES, WATCHING, 5, "", "the viewer")
VIEWER_DAYS = Rates("viewer_days", _WATCHES, WATCHING, 5, "viewer_ever", "the viewer's last days")
DURATION_EVER = Rates("duration_ever", _WATCHES, WATCHING, 20, "", "videos that are as long")
TOPIC_EVER = Rates("topic_ever", _WATCHES, WATCHING, 20, "", "videos of the topic")
AUTHOR_EVER = Rates("author_ever", _WATCHES, WATCHING, 10, "", "videos of the author")
AUTHOR_ACTS = Rates("author_acts", _WATCHES, ACTING, 100, "", "videos of the author")
VIDEO_EVER = Rates("video_ever", _WATCHES, WATCHING, 5, "duration_ever", "the video")
VIDEO_ACTS = Rates("video_acts", _WATCHES, ACTING, 100, "author_acts", "the video")
VIDEO_SHOWN = Rates("video_shown", _SHOWN, (Signal.WATCHES,), 10, "", "the video, of it served")
VIDEO_DAYS = Rates("video_days", _WATCHES, WATCHING, 10, "video_ever", "the video's last days")
VIDEO_HOURS = Rates("video_hours", _WATCHES, BRIEFLY, 10, "video_days", "the video's last hours")
VIDEO_ON_SURFACE = Rates(
    "video_on_surface", _WATCHES, BRIEFLY, 10, "video_ever", "the video on this surface"
)
ON_SURFACE = Rates("on_surface", _WATCHES, BRIEFLY, 3, "viewer_ever", "the viewer on this surface")
WITH_DURATION = Rates(
    "with_duration", _WATCHES, BRIEFLY, 3, "viewer_ever", "the viewer's videos that are as long"
)
WITH_AUTHOR = Rates(
    "with_author", _WATCHES, TOGETHER, 3, "viewer_ever", "the viewer with the author"
)
WITH_TOPIC = Rates("with_topic", _WATCHES, TOGETHER, 3, "viewer_ever", "the viewer with the topic")

OF_VIEWER = (VIEWER_EVER, VIEWER_DAYS)
# What is a prior stands before what leans on it.
OF_CANDIDATE = (
    DURATION_EVER,
    TOPIC_EVER,
    AUTHOR_EVER,
    AUTHOR_ACTS,
    VIDEO_EVER,
    VIDEO_ACTS,
    VIDEO_SHOWN,
    VIDEO_DAYS,
    VIDEO_HOURS,
    VIDEO_ON_SURFACE,
    ON_SURFACE,
    WITH_DURATION,
    WITH_AUTHOR,
    WITH_TOPIC,
)
RATES = (*OF_VIEWER, *OF_CANDIDATE)

GUESSES = {
    Signal.WATCHES: 0.7,
    Signal.LONG_WATCHES: 0.3,
    Signal.COMPLETIONS: 0.3,
    Signal.QUICK_SKIPS: 0.3,
    Signal.WATCH_PERMILLE: 0.4,
    Signal.CLICKS: 0.4,
    Signal.LIKES: 0.02,
} | dict.fromkeys(ACTING, 0.002)
"""What is thought of a rate before anything was counted."""

SITUATION = (
    Feature("surface", "number", 0, "on which kind of feed"),
    Feature("hour", "h", 0, "hour of the day, UTC"),
    Feature("weekday", "day", 0, "0 for Monday"),
)
VIDEO = (
    Feature("log_duration", "ln s", 0, "how long the video plays"),
    Feature("log_age", "ln(1+h)", 0, "since it was published"),
    Feature("aspect", "ln", 0, "height over width"),
    Feature("log_pixels", "ln", 0, "height by width"),
    Feature("depth", "remixes", 0, "remixes before it in its line"),
    Feature("remixes", "ln(1+n)", 0, "remixes of it"),
    Feature("cameos", "number", 0, "cameos in it"),
    Feature("remixable", "0/1", 0, "whether it may be remixed"),
    Feature("labels", "number", 0, "labels it has"),
    Feature("author_age", "ln(1+days)", 0, "since the author's account was opened"),
    Feature("author_followers", "ln(1+n)", 0, "who follow the author"),
    Feature("author_cameo_uses", "ln(1+n)", 0, "how often the author's cameos were cast"),
)
VIEWER = (
    Feature("viewer_age", "ln(1+days)", 0, "since the viewer's account was opened"),
    Feature("viewer_following", "ln(1+n)", 0, "whom the viewer follows"),
    Feature("viewer_followers", "ln(1+n)", 0, "who follow the viewer"),
    Feature("viewer_mutuals", "ln(1+n)", 0, "who follow the viewer and are followed"),
    Feature("viewer_shown", "ln(1+n)", 0, "what the viewer was served since ever"),
    Feature("viewer_creations", "ln(1+n)", 0, "videos that the viewer published"),
    Feature("viewer_remixes", "ln(1+n)", 0, "remixes that the viewer published"),
)
SEQUENCE = (
    Feature("last5_long", "share", -1, "long watches among the viewer's last five"),
    Feature("last20_long", "share", -1, "long watches among the viewer's last twenty"),
    Feature("last20_share", "share", -1, "of each of the last twenty videos that was watched"),
    Feature("last20_skips", "share", -1, "quick skips among the viewer's last twenty"),
    Feature("skip_streak", "number", 0, "videos since the viewer's last long watch, 20 at most"),
    Feature("since_last", "ln(1+s)", -1, "since the viewer's last watch"),
    Feature("last_hour", "number", 0, "of the viewer's last hundred watches, those within an hour"),
    Feature("last_day", "number", 0, "of the viewer's last hundred watches, those within a day"),
)
BETWEEN = (
    Feature("follows", "0/1", 0, "the viewer follows the author"),
    Feature("followed", "0/1", 0, "the author follows the viewer"),
    Feature("cameo_friend", "0/1", 0, "they lend each other cameos, or one to the other"),
    Feature(
        "friend_in_cameo", "0/1", 0, "a cameo in it is of somebody the viewer follows or lends"
    ),
    Feature("own", "0/1", 0, "the viewer published it"),
    Feature("line_liked", "0/1", 0, "the viewer liked or remixed another of its line"),
    Feature("watched_before", "number", 0, "how often the viewer watched it within 30 days"),
    Feature("since_watched", "ln(1+h)", -1, "since the viewer watched it"),
)
LIKENESS = (
    Feature("near_positives", "cosine", 0, "to what the viewer lately watched for long or liked"),
    Feature("near_negatives", "cosine", 0, "to what the viewer lately skipped"),
    Feature("nearest_positive", "cosine", 0, "to the nearest of the last eight positives"),
    Feature(
        "coview_long", "score", 0, "watched for long by who did so with the viewer's positives"
    ),
    Feature("coview_shown", "score", 0, "watched by who watched what the viewer did"),
)
DIFFERENCES = (
    Feature("video_over_duration", "share", 0, "long watches over those of as long videos"),
    Feature("share_over_duration", "share", 0, "watched share over that of as long videos"),
    Feature("author_over_duration", "share", 0, "of the author over those of as long videos"),
    Feature("viewer_over_all", "share", 0, "long watches of the viewer over those of all"),
    Feature(
        "duration_over_viewer", "share", 0, "of the viewer's as long videos over all of theirs"
    ),
    Feature(
        "days_over_ever", "share", 0, "long watches of the video in its last days over its own"
    ),
    Feature("expected_long", "log odds", 0, "of a long watch, by video, viewer, topic and author"),
)

LEARNT = (
    Feature("effect_video", "log odds", 0, "what the video adds to the odds of a long watch"),
    Feature("effect_place", "log odds", 0, "what the surface adds, and the video on it"),
    Feature("effect_viewer", "log odds", 0, "what the viewer adds, by what they watched"),
    Feature("effect_within", "log odds", 0, "of the video and the surface"),
    Feature("effect_all", "log odds", 0, "of a long watch by all the effects"),
)
"""Of the model's effects (`ranking/effects.py`); without any they are at their defaults."""


def _columns(rates: Rates) -> Sequence[Feature]:
    unit = rates.base.name.lower()
    volume = Feature(f"{rates.name}_log", f"ln(1+{unit})", 0, f"{unit}: {rates.doc}")
    return (
        volume,
        *(
            Feature(
                f"{rates.name}_{signal.name.lower()}", f"per {unit}", 0, f"{rates.doc}, smoothed"
            )
            for signal in rates.signals
        ),
    )


FEATURES: tuple[Feature, ...] = (
    *SITUATION,
    *VIDEO,
    *VIEWER,
    *SEQUENCE,
    *BETWEEN,
    *LIKENESS,
    *(feature for rates in RATES for feature in _columns(rates)),
    *DIFFERENCES,
    *LEARNT,
)
INDEX = {feature.name: column for column, feature in enumerate(FEATURES)}

VERSION = sha256(repr((FEATURES, RATES)).encode()).hexdigest()[:16]
