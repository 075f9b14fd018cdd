"""Telling: each feature in words for people, who ask what moved a video that they were shown.

The words go on from "It was moved up by ...", or down. A page has on record which way, and not how
much there was: that likes speak for a video and reports against it is taken for granted, so that
what moved it down by its likes is told as how seldom it was liked.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ranking.features import RATES, Rates
from ranking.signals import Signal


class Deeds(NamedTuple):
    """Who did what a rate counts, to what, and when or where."""

    who: str
    what: str
    when: str = ""


_LATELY, _HERE = " in the last days", " in this feed"

_DEEDS = {
    "viewer_ever": Deeds("you", "videos"),
    "viewer_days": Deeds("you", "videos", _LATELY),
    "duration_ever": Deeds("people", "videos of its length"),
    "topic_ever": Deeds("people", "videos of its kind"),
    "author_ever": Deeds("people", "the author's videos"),
    "author_acts": Deeds("people", "the author's videos"),
    "video_ever": Deeds("people", "it"),
    "video_acts": Deeds("people", "it"),
    "video_shown": Deeds("people", "it"),
    "video_days": Deeds("people", "it", _LATELY),
    "video_hours": Deeds("people", "it", " in the last hours"),
    "video_on_surface": Deeds("people", "it", _HERE),
    "on_surface": Deeds("you", "videos", _HERE),
    "with_duration": Deeds("you", "videos of its length"),
    "with_author": Deeds("you", "the author's videos"),
    "with_topic": Deeds("you", "videos of its kind"),
}

_DONE = {
    Signal.WATCHES: "how {often} {who} watched {what} when it was shown",
    Signal.LONG_WATCHES: "how {often} {who} watched {what} for long{when}",
    Signal.COMPLETIONS: "how {often} {who} watched {what} to the end{when}",
    Signal.QUICK_SKIPS: "how {often} {who} skipped {what} at once{when}",
    Signal.WATCH_PERMILLE: "how {much} {who} watched of {what}{when}",
    Signal.CLICKS: "how {often} {who} opened {what}{when}",
    Signal.LIKES: "how {often} {who} liked {what}{when}",
    Signal.COMMENTS: "how {often} {who} commented on {what}",
    Signal.SHARES: "how {often} {who} shared {what}",
    Signal.REMIXES: "how {often} {who} remixed {what}",
    Signal.FOLLOWS: "how {often} {who} followed somebody after {what}",
    Signal.LESS: "how {often} {who} asked for less like {what}",
    Signal.REPORTS: "how {often} {who} reported {what}",
}
_COUNTED = {
    Signal.WATCHES: "how {often} {who} watched {what}{when}",
    Signal.IMPRESSIONS: "how {often} {what} was shown",
}

_SINGLE = {
    "surface": "which feed this is",
    "hour": "the time of day",
    "weekday": "the day of the week",
    "log_duration": "its length",
    "log_age": "its age",
    "aspect": "its shape",
    "log_pixels": "the size of its picture",
    "depth": "how many remixes it builds on",
    "remixes": "how {often} it was remixed",
    "cameos": "how many cameos play in it",
    "remixable": "whether it may be remixed",
    "labels": "the labels that moderators gave it",
    "author_age": "how long its author has been here",
    "author_followers": "how {many} people follow its author",
    "author_cameo_uses": "how {often} its author's cameos are cast",
    "viewer_age": "how long you have been here",
    "viewer_following": "how many people you follow",
    "viewer_followers": "how many people follow you",
    "viewer_mutuals": "how many people you follow follow you, too",
    "viewer_shown": "how many videos you have been shown",
    "viewer_creations": "how many videos you published",
    "viewer_remixes": "how many remixes you published",
    "last5_long": "how many of your last five videos you watched for long",
    "last20_long": "how many of your last twenty videos you watched for long",
    "last20_share": "how much you watched of your last twenty videos",
    "last20_skips": "how many of your last twenty videos you skipped at once",
    "skip_streak": "how many videos ago you watched one for long",
    "since_last": "how long ago you watched something",
    "last_hour": "how much you watched within an hour",
    "last_day": "how much you watched within a day",
    "follows": "your {not_}following its author",
    "followed": "its author {not_}following you",
    "cameo_friend": "you and its author {not_}sharing cameos",
    "friend_in_cameo": "{somebody} you follow or share cameos with playing in it",
    "own": "whether you published it",
    "line_liked": "your {not_}having liked or remixed others of its line",
    "watched_before": "how {often} you watched it before",
    "since_watched": "how long ago you watched it",
    "near_positives": "how {much} it is like what you lately watched for long or liked",
    "near_negatives": "how {much} it is like what you lately skipped",
    "nearest_positive": "how {much} it is like one video that you lately watched for long or liked",
    "coview_long": "how {many} watched it for long of those who like what you like",
    "coview_shown": "how {many} watched it of those who watch what you watch",
    "video_over_duration": "how {often} it is watched for long, beside others of its length",
    "share_over_duration": "how {much} of it is watched, beside others of its length",
    "author_over_duration": "how {often} the author's videos are watched for long, beside others",
    "viewer_over_all": "how much oftener than others you watch for long",
    "duration_over_viewer": "how {often} you watch videos of its length for long, beside others",
    "days_over_ever": "how {often} it was watched for long in the last days, beside before",
    "expected_long": "how {likely} you seemed to watch it for long",
    "effect_video": "how {well} it holds people, whoever they are",
    "effect_place": "how {well} it holds people in this feed",
    "effect_viewer": "how easily videos hold you",
    "effect_within": "how {well} it holds people, in this feed and elsewhere",
    "effect_all": "how {likely} you seemed to watch it for long, all in all",
}


_MUCH = {
    "often": "often",
    "much": "much",
    "many": "many",
    "likely": "likely",
    "well": "well",
    "somebody": "somebody",
    "not_": "",
}
_LITTLE = {
    "often": "seldom",
    "much": "little",
    "many": "few",
    "likely": "unlikely",
    "well": "badly",
    "somebody": "nobody",
    "not_": "not ",
}
# More of these is what speaks against a video.
_AGAINST = ("_quick_skips", "_less", "_reports", "near_negatives", "watched_before")
# What somebody does with all videos alike is told as it is, whichever way it moved one of them.
_OF_ALL = ("viewer_", "on_surface_")


def told(feature: str, by: float) -> str:
    """Say what a feature did to a video: a sentence. Of a release that had others, by its name."""
    way = "up" if by > 0 else "down"
    words = WORDS.get(feature, feature.replace("_", " "))
    is_much = (by > 0) != feature.endswith(_AGAINST) or feature.startswith(_OF_ALL)
    return f"It was moved {way} by {words.format(**(_MUCH if is_much else _LITTLE))}."


def _of_rates(rates: Rates) -> Iterator[tuple[str, str]]:
    deeds = _DEEDS[rates.name]._asdict() | {word: f"{{{word}}}" for word in _MUCH}
    yield f"{rates.name}_log", _COUNTED[rates.base].format(**deeds)
    for signal in rates.signals:
        yield f"{rates.name}_{signal.name.lower()}", _DONE[signal].format(**deeds)


_RATES = dict(each for rates in RATES for each in _of_rates(rates))
WORDS: Mapping[str, str] = _SINGLE | _RATES
"""What of each feature counted: a clause, with a place for how much there was."""
