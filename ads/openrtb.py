"""OpenRTB 2.6: what a seller asks for and what it is answered, as far as ads in feeds read it.

What a request says beyond that is passed over, as the standard has it. Names are the standard's.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

VERSION = "2.6"

IMPS_MAX = 10

Text = Annotated[str, msgspec.Meta(max_length=512)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=2_000)]
Flag = Literal[0, 1]
Money = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Video(msgspec.Struct, frozen=True, gc=False):
    """The player: which files and documents it reads, and how long an ad may be."""

    mimes: Annotated[Texts, msgspec.Meta(min_length=1)]
    minduration: Seconds = 0
    maxduration: Seconds | None = None
    protocols: tuple[int, ...] = ()
    battr: tuple[int, ...] = ()
    mincpmpersec: Money = 0.0


class Pmp(msgspec.Struct, frozen=True, gc=False):
    """A private marketplace: 1 is for who has a deal."""

    private_auction: Flag = 0


class Imp(msgspec.Struct, frozen=True, gc=False):
    """A place for one ad. The floor is for a thousand."""

    id: Annotated[Text, msgspec.Meta(min_length=1)]
    video: Video | None = None
    bidfloor: Money = 0.0
    bidfloorcur: Currency = "USD"
    secure: Flag | None = None
    pmp: Pmp | None = None


class Content(msgspec.Struct, frozen=True, gc=False):
    """What the ad would stand beside, by codes of a taxonomy (1 is the IAB's first)."""

    cat: Texts = ()
    cattax: int = 1
    keywords: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    title: Text = ""
    language: Text = ""
    qagmediarating: int | None = None


class Inventory(msgspec.Struct, frozen=True, gc=False):
    """A site or an app."""

    id: Text = ""
    domain: Text = ""
    cat: Texts = ()
    sectioncat: Texts = ()
    pagecat: Texts = ()
    cattax: int = 1
    content: Content | None = None


class Geo(msgspec.Struct, frozen=True, gc=False):
    """Where: a code of three letters."""

    country: Text = ""


class Device(msgspec.Struct, frozen=True, gc=False):
    """With what it is watched. `dnt` and `lmt` ask not to be followed."""

    os: Text = ""
    language: Text = ""
    geo: Geo | None = None
    dnt: Flag = 0
    lmt: Flag = 0


class User(msgspec.Struct, frozen=True, gc=False):
    """Who watches; `id` is the seller's own."""

    id: Text = ""
    yob: Annotated[int, msgspec.Meta(ge=1900, le=2200)] | None = None
    geo: Geo | None = None


class Regs(msgspec.Struct, frozen=True, gc=False):
    """Which rules hold: 1 is for children, by the law of the United States."""

    coppa: Flag = 0


class BidRequest(msgspec.Struct, frozen=True, gc=False):
    """What is offered: one place or more, before one viewer. `test` 1 is never billed."""

    id: Annotated[Text, msgspec.Meta(min_length=1)]
    imp: Annotated[tuple[Imp, ...], msgspec.Meta(min_length=1, max_length=IMPS_MAX)]
    site: Inventory | None = None
    app: Inventory | None = None
    device: Device | None = None
    user: User | None = None
    regs: Regs | None = None
    test: Flag = 0
    tmax: Annotated[int, msgspec.Meta(ge=0, le=60_000)] | None = None
    cur: Annotated[tuple[Currency, ...], msgspec.Meta(max_length=200)] = ()
    bcat: Texts = ()
    acat: Texts = ()
    cattax: int = 1
    badv: Texts = ()


class Bid(msgspec.Struct, frozen=True, gc=False):
    """What a line item bids for a place: `price` is for a thousand, `adm` a VAST document.

    `burl` is to be fetched when the seller bills, with its price in place of the macro, within
    `exp` seconds and the time the ad takes to play; without it nothing counts.
    """

    id: UUID
    impid: str
    price: float
    adm: str
    adid: UUID
    crid: UUID
    cid: UUID
    adomain: tuple[str, ...]
    cat: tuple[str, ...]
    cattax: int
    attr: tuple[int, ...]
    dur: int
    w: int
    h: int
    mtype: int
    burl: str
    exp: int


class SeatBid(msgspec.Struct, frozen=True, gc=False):
    """The bids of one advertiser."""

    bid: tuple[Bid, ...]
    seat: UUID


class BidResponse(msgspec.Struct, frozen=True, gc=False):
    """What is bid, in one currency."""

    id: str
    seatbid: tuple[SeatBid, ...]
    cur: str
