"""What campaigns, line items and creatives have in common over HTTP: money, time, caps, names."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from domain.frequency import FrequencyCap
from domain.micros import MICROS_MAX
from myriorama.api.preconditions import etag

IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", required=False)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["Spring"])]
Micros = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=MICROS_MAX,
        description="Millionths of the unit of the advertiser's currency.",
        examples=[50_000_000],
    ),
]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `count` ads to one viewer within any `window_s` seconds."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1000, examples=[3])]
    window_s: Annotated[int, msgspec.Meta(ge=60, le=7_776_000, examples=[86_400])]


Caps = Annotated[
    list[Cap], msgspec.Meta(max_length=4, examples=[[{"count": 3, "window_s": 86_400}]])
]


class Changed(msgspec.Struct, frozen=True):
    """The ETag of what was changed, as it is now; the header has it too."""

    etag: str


def changed(version: int) -> Response[Changed]:
    """Return the answer to an edit, after which its aggregate is at a version."""
    tag = etag(version)
    return Response(Changed(tag), headers={"ETag": tag})


def caps_of(caps: Iterable[Cap]) -> tuple[FrequencyCap, ...]:
    """Return caps as the domain has them."""
    return tuple(FrequencyCap(cap.count, cap.window_s) for cap in caps)


def edits_of(edit: msgspec.Struct) -> dict[str, object]:
    """Return the fields of an edit that are named in it, with caps as the domain has them."""
    named = {
        name: value
        for name in edit.__struct_fields__
        if (value := getattr(edit, name)) is not msgspec.UNSET
    }
    if "caps" in named:
        named["caps"] = caps_of(named["caps"])
    return named
