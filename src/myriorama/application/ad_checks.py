"""The automatic checks of a creative: what each says, from what is known of it."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from domain.ad_categories import SENSITIVE
from domain.creative.content import Content
from domain.creative.landing import host_of, is_within
from domain.creative.review import Check, Reason
from domain.generation.work import Verdict

VERSION = "1"

# What moderators said of the video, and what that means for an ad.
_REFUSED: dict[str, Reason] = {
    "mature": "adult",
    "graphic": "unsafe",
    "disturbing": "unsafe",
    "flashing": "unsafe",
    "misleading": "deceptive",
    "spam": "deceptive",
}

Screen = Callable[[str], Sequence[Verdict]]


class AdChecks:
    """Looks at creatives. `screen` gives the verdicts of the house's screening on a text."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def of(
        self,
        content: Content,
        *,
        website: str,
        labels: Sequence[str],
        ungranted: Sequence[UUID],
    ) -> Sequence[Check]:
        """Return what every check says.

        Args:
            content: what the creative shows, and where it leads.
            website: the advertiser's.
            labels: what moderators said of the video.
            ungranted: the cameos in it that the advertiser may not show.
        """
        return (
            *self._words(content.headline),
            *_labels(labels, content.category),
            _category(content.category),
            _landing(content.landing_url, website),
            _cameos(ungranted),
        )

    def _words(self, headline: str) -> Iterator[Check]:
        for said in self._screen(headline) if headline else ():
            code = "words" if said.verdict == "refuse" else ""
            yield Check(f"words.{said.check}", said.version, said.verdict, code, said.detail)


def _labels(labels: Sequence[str], category: str) -> Iterator[Check]:
    for label in labels:
        if code := _REFUSED.get(label):
            yield Check("labels", VERSION, "refuse", code, f"the video is labelled {label}")
        elif label == "political" and category != "politics":
            yield Check("labels", VERSION, "doubt", "mislabelled", "the video is political")


def _category(category: str) -> Check:
    if category in SENSITIVE:
        return Check("category", VERSION, "doubt", "restricted_category", category)
    return Check("category", VERSION, "allow")


def _landing(url: str, website: str) -> Check:
    host = host_of(url)
    if is_within(host, website):
        return Check("landing_page", VERSION, "allow")
    return Check("landing_page", VERSION, "doubt", "deceptive", f"{host} is not {website}")


def _cameos(ungranted: Sequence[UUID]) -> Check:
    if ungranted:
        named = ", ".join(map(str, ungranted))
        return Check("cameos", VERSION, "refuse", "cameo_not_granted", named)
    return Check("cameos", VERSION, "allow")
