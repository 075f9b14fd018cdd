"""Asking outside for bids, by OpenRTB 2.6: what is asked for a line and a viewer, and what answers.

A bidder is asked for one line item, which is the deal; what it shows is one of its creatives, all
of which were reviewed here. What is not of the standard, or not of the deal, is no bid.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec

from ads.content_categories import CODES
from ads.countries import ALPHA_2
from ads.lines import Line
from ads.opportunity import IAB_1, MIME, VAST_4_2
from ads.viewer import OutsideBid, Viewer

ANSWER_BYTES_MAX = 16_384
KEPT_S_MAX = 300
"""So long a bid is kept at most, whatever it says."""

Refusal = Literal["no_bid", "malformed", "foreign", "below_floor", "too_dear"]

_IMP = "1"
_SECOND_PRICE = 2
_BY_IP = 2
_LINEAR = 1
_STANDALONE = 4
_PORTRAIT = 720, 1280
_MILLION, _THOUSAND = 1_000_000, 1_000
_ALPHA_3 = {two: three for three, two in ALPHA_2.items()}
_PLATFORMS = {"ios": "iOS", "android": "Android"}


class House(NamedTuple):
    """Who asks: the domain of its ads.txt, its name, and its ID in sellers.json."""

    domain: str
    name: str
    seller_id: str


class Asked(NamedTuple):
    """What is asked: for which line, in which currency, with which floor for one impression."""

    request_id: str
    line: Line
    currency: str
    floor_micros: int


class Bidden(NamedTuple):
    """What is bid, and for how long."""

    bid: OutsideBid
    kept_s: int


class _Video(msgspec.Struct, frozen=True):
    mimes: tuple[str, ...]
    minduration: int
    maxduration: int
    protocols: tuple[int, ...]
    w: int
    h: int
    plcmt: int
    linearity: int
    skip: int


class _Deal(msgspec.Struct, frozen=True):
    id: UUID
    bidfloor: float
    bidfloorcur: str
    at: int
    wseat: tuple[UUID, ...]


class _Pmp(msgspec.Struct, frozen=True):
    private_auction: int
    deals: tuple[_Deal, ...]


class _Imp(msgspec.Struct, frozen=True):
    id: str
    video: _Video
    pmp: _Pmp
    bidfloor: float
    bidfloorcur: str
    secure: int
    exp: int


class _Publisher(msgspec.Struct, frozen=True):
    id: str
    name: str
    domain: str


class _Content(msgspec.Struct, frozen=True, omit_defaults=True):
    language: str = ""


class _App(msgspec.Struct, frozen=True):
    id: str
    name: str
    domain: str
    publisher: _Publisher
    content: _Content


class _Geo(msgspec.Struct, frozen=True):
    country: str
    type: int


class _Device(msgspec.Struct, frozen=True, omit_defaults=True):
    lmt: int
    os: str = ""
    language: str = ""
    geo: _Geo | None = None


class _User(msgspec.Struct, frozen=True):
    id: str


class _Request(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    imp: tuple[_Imp, ...]
    app: _App
    device: _Device
    at: int
    tmax: int
    wseat: tuple[UUID, ...]
    cur: tuple[str, ...]
    cattax: int
    bcat: tuple[str, ...] = ()
    user: _User | None = None


_Text = Annotated[str, msgspec.Meta(max_length=512)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class _Bid(msgspec.Struct, frozen=True):
    id: _Id
    impid: _Id
    price: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
    crid: _Text = ""
    dealid: _Text = ""
    mtype: int | None = None
    exp: Annotated[int, msgspec.Meta(ge=0, le=1 << 31)] | None = None


class _SeatBid(msgspec.Struct, frozen=True):
    bid: Annotated[tuple[_Bid, ...], msgspec.Meta(min_length=1, max_length=20)]
    seat: _Text = ""


class _Response(msgspec.Struct, frozen=True):
    id: _Id
    seatbid: Annotated[tuple[_SeatBid, ...], msgspec.Meta(max_length=20)] = ()
    cur: str = "USD"
    nbr: int | None = None


def is_followed(viewer: Viewer) -> bool:
    """Tell whether bidders may know who a viewer is to them, and where."""
    return not (viewer.is_minor or viewer.contextual_only)


def request_of(asked: Asked, viewer: Viewer, house: House, *, user_id: str, tmax_ms: int) -> bytes:
    """Return what a bidder is asked.

    Of minors, and of whoever asks for contextual ads, it is told neither who nor where they are;
    both look the same. Age and interests are told of nobody.
    """
    line = asked.line
    followed = is_followed(viewer)
    lasts_s = [each.duration_ms / _THOUSAND for each in line.creatives]
    floor = asked.floor_micros * _THOUSAND / _MILLION
    seats = (line.advertiser_id,)
    country = _ALPHA_3.get(viewer.country) if followed else None
    video = _Video(
        mimes=(MIME,),
        minduration=int(min(lasts_s)),
        maxduration=int(-(-max(lasts_s) // 1)),
        protocols=(VAST_4_2,),
        w=_PORTRAIT[0],
        h=_PORTRAIT[1],
        plcmt=_STANDALONE,
        linearity=_LINEAR,
        skip=1,
    )
    deal = _Deal(line.line_id, floor, asked.currency, _SECOND_PRICE, seats)
    request = _Request(
        id=asked.request_id,
        imp=(_Imp(_IMP, video, _Pmp(1, (deal,)), floor, asked.currency, 1, KEPT_S_MAX),),
        app=_App(
            house.domain,
            house.name,
            house.domain,
            _Publisher(house.seller_id, house.name, house.domain),
            _Content(viewer.language),
        ),
        device=_Device(
            lmt=0 if followed else 1,
            os=_PLATFORMS.get(viewer.platform, ""),
            language=viewer.language,
            geo=_Geo(country, _BY_IP) if country else None,
        ),
        at=_SECOND_PRICE,
        tmax=tmax_ms,
        wseat=seats,
        cur=(asked.currency,),
        cattax=IAB_1,
        # What a viewer has hidden tells of them: who is not followed is not told of by it.
        bcat=_hidden(viewer) if followed else (),
        user=_User(user_id) if followed else None,
    )
    return _ENCODER.encode(request)


def bidden(content: bytes, asked: Asked) -> Bidden | Refusal:
    """Return the best bid of an answer, or why it has none."""
    try:
        response = _DECODER.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return "malformed"
    if response.id != asked.request_id:
        return "malformed"
    bids = [bid for seat in response.seatbid for bid in seat.bid]
    if not bids:
        return "no_bid"
    if response.cur != asked.currency:
        return "foreign"
    found: list[Bidden | Refusal] = [_of(bid, asked) for bid in bids]
    sound: list[Bidden] = [each for each in found if isinstance(each, Bidden)]
    best: Bidden | None = max(sound, key=_bid_micros, default=None)
    return best or found[0]


def _of(bid: _Bid, asked: Asked) -> Bidden | Refusal:
    line = asked.line
    ids = {str(each.creative_id): each.creative_id for each in line.creatives}
    creative_id = ids.get(bid.crid.lower())
    if bid.impid != _IMP or bid.dealid.lower() != str(line.line_id) or creative_id is None:
        return "foreign"
    thousand = Decimal(str(bid.price)) * _MILLION / _THOUSAND
    micros = int(thousand.to_integral_value(ROUND_FLOOR))
    if micros < asked.floor_micros:
        return "below_floor"
    if micros > line.bid_micros:
        return "too_dear"
    kept_s = KEPT_S_MAX if bid.exp is None else min(bid.exp, KEPT_S_MAX)
    return Bidden(OutsideBid(creative_id, micros), kept_s)


def _bid_micros(of: Bidden) -> int:
    return of.bid.bid_micros


def _hidden(viewer: Viewer) -> tuple[str, ...]:
    return tuple(sorted(CODES[each] for each in viewer.hidden_categories if each in CODES))


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Response)
