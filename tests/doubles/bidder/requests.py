"""What a strict bidder takes for a request: names and types of OpenRTB 2.6, and no others."""

from typing import Annotated, Literal

import msgspec

Flag = Literal[0, 1]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Id = Annotated[str, msgspec.Meta(min_length=1)]
Ints = tuple[int, ...]
Texts = tuple[str, ...]


class Video(msgspec.Struct, forbid_unknown_fields=True):
    mimes: Annotated[Texts, msgspec.Meta(min_length=1)]
    minduration: int = 0
    maxduration: int | None = None
    protocols: Ints = ()
    w: int | None = None
    h: int | None = None
    startdelay: int | None = None
    plcmt: Literal[1, 2, 3, 4] | None = None
    linearity: Literal[1, 2] | None = None
    skip: Flag = 0
    battr: Ints = ()
    playbackmethod: Ints = ()
    mincpmpersec: float | None = None


class Deal(msgspec.Struct, forbid_unknown_fields=True):
    id: Id
    bidfloor: float = 0.0
    bidfloorcur: Currency = "USD"
    at: Literal[1, 2, 3] | None = None
    wseat: Texts = ()
    wadomain: Texts = ()


class Pmp(msgspec.Struct, forbid_unknown_fields=True):
    private_auction: Flag = 0
    deals: tuple[Deal, ...] = ()


class Imp(msgspec.Struct, forbid_unknown_fields=True):
    id: Id
    video: Video
    pmp: Pmp
    tagid: str = ""
    bidfloor: float = 0.0
    bidfloorcur: Currency = "USD"
    secure: Flag | None = None
    exp: int | None = None


class Publisher(msgspec.Struct, forbid_unknown_fields=True):
    id: str = ""
    name: str = ""
    domain: str = ""


class Content(msgspec.Struct, forbid_unknown_fields=True):
    cat: Texts = ()
    cattax: int = 1
    keywords: str = ""
    language: str = ""


class App(msgspec.Struct, forbid_unknown_fields=True):
    id: str = ""
    name: str = ""
    bundle: str = ""
    domain: str = ""
    publisher: Publisher | None = None
    content: Content | None = None


class Geo(msgspec.Struct, forbid_unknown_fields=True):
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    type: Literal[1, 2, 3] | None = None


class Device(msgspec.Struct, forbid_unknown_fields=True):
    geo: Geo | None = None
    dnt: Flag | None = None
    lmt: Flag | None = None
    os: str = ""
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}$")] | None = None


class User(msgspec.Struct, forbid_unknown_fields=True):
    id: Id


class Request(msgspec.Struct, forbid_unknown_fields=True):
    id: Id
    imp: Annotated[tuple[Imp, ...], msgspec.Meta(min_length=1)]
    app: App
    device: Device
    user: User | None = None
    test: Flag = 0
    at: int = 2
    tmax: int | None = None
    wseat: Texts = ()
    cur: tuple[Currency, ...] = ()
    bcat: Texts = ()
    cattax: int = 1
    badv: Texts = ()
