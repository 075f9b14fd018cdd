"""What a creative shows and where it leads: all that a review is about."""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from domain.ad_categories import check_category
from domain.creative.errors import (
    CallToActionUnknown,
    CreativeFormatInvalid,
    HeadlineInvalid,
)
from domain.creative.landing import host_of
from domain.text import is_name

SourceKind = Literal["video", "generation"]
CallToAction = Literal[
    "learn_more",
    "shop_now",
    "install",
    "sign_up",
    "book_now",
    "watch_more",
    "get_offer",
    "contact_us",
    "subscribe",
    "donate",
]
HEADLINE_LENGTH_MAX = 80
DURATION_MS_MIN, DURATION_MS_MAX = 1000, 60_000

# Models render in whole blocks of pixels, so 9:16 is met within five in a hundred.
_ASPECT_MIN, _ASPECT_MAX = 95, 105


@dataclass(frozen=True)
class Footage:
    """The video: a published one ("video"), or a draft ("generation"). Keys name its files.

    `ai_label` says how it came to be: all that this house shows was "generated".
    """

    source_kind: str
    source_id: UUID
    video_key: str
    poster_key: str
    thumbnail_key: str
    width: int
    height: int
    duration_ms: int
    cameo_ids: tuple[UUID, ...]
    ai_label: str


@dataclass(frozen=True)
class Content:
    """A video, and what stands below it."""

    footage: Footage
    landing_url: str
    call_to_action: str
    headline: str
    category: str


def check_content(content: Content) -> None:
    """Let content pass that can be shown as an ad, whatever a review says.

    Raises:
        CreativeFormatInvalid, LandingPageInvalid, CallToActionUnknown, HeadlineInvalid,
        CategoryUnknown: it cannot.
    """
    footage = content.footage
    upright, whole = footage.width * 16 * 100, footage.height * 9
    is_upright = _ASPECT_MIN * whole <= upright <= _ASPECT_MAX * whole and whole > 0
    if not is_upright or not DURATION_MS_MIN <= footage.duration_ms <= DURATION_MS_MAX:
        raise CreativeFormatInvalid(
            "A creative is 9:16, and 1 to 60 seconds long; this one is "
            f"{footage.width}x{footage.height}, and {footage.duration_ms} ms."
        )
    host_of(content.landing_url)
    if content.call_to_action not in get_args(CallToAction):
        raise CallToActionUnknown(f"It is one of {', '.join(get_args(CallToAction))}.")
    if content.headline and not is_name(content.headline):
        raise HeadlineInvalid("A headline is one line with something to be seen, or nothing.")
    if len(content.headline) > HEADLINE_LENGTH_MAX:
        raise HeadlineInvalid(f"A headline has {HEADLINE_LENGTH_MAX} characters at most.")
    check_category(content.category)
