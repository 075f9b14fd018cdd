"""How pages come to be from templates: the environment of Jinja, and the words for numbers."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response

from domain.video.hashtags import SIGNS, hashtags
from myriorama.web import ad_words

STATIC = Path(str(files("myriorama.web") / "static"))
HTMX = Path(str(files("js_lib_htmx") / "static" / "htmx"))

_HUES = 8
_AGES = ((86_400 * 365, "y"), (86_400 * 7, "w"), (86_400, "d"), (3600, "h"), (60, "min"))
_PIECES = re.compile(rf"(?<![{SIGNS}#&])(#[{SIGNS}]+)")
_SCALES = ((10**9, "B"), (10**6, "M"), (10**3, "K"))


def render(template: str, status: int = 200, **context: Any) -> Response[str]:
    """Return a template, filled in. What is shown is one person's and of this moment: not kept."""
    return Response(
        _ENVIRONMENT.get_template(template).render(static=STATIC_URL, htmx=HTMX_URL, **context),
        status_code=status,
        media_type=MediaType.HTML,
        headers={"Cache-Control": "no-store", "Vary": "Authorization"},
    )


def compact(number: int) -> str:
    """Say a count in few letters: 950, 1.2K, 34M."""
    for scale, letter in _SCALES:
        if number >= scale:
            rounded = f"{number / scale:.1f}" if number < 10 * scale else str(number // scale)
            return rounded.removesuffix(".0") + letter
    return str(number)


def ago(moment: str, now: datetime | None = None) -> str:
    """Say how long ago a moment was (ISO 8601), in its widest unit."""
    passed = (now or datetime.now(UTC)) - datetime.fromisoformat(moment)
    for unit_s, name in _AGES:
        if passed.total_seconds() >= unit_s:
            return f"{int(passed.total_seconds() // unit_s)} {name}"
    return "now"


def tagged(caption: str) -> Iterator[tuple[str, str | None]]:
    """Take a caption apart, in order: each piece of text, and which hashtag it is, if it is one."""
    for piece in _PIECES.split(caption):
        yield piece, next(iter(hashtags(piece)), None) if piece.startswith("#") else None


def hue(text: str) -> int:
    """Choose one of the colours of faceless accounts, always the same for the same text."""
    return blake2b(text.encode(), digest_size=1).digest()[0] % _HUES


def fingerprint(folders: Mapping[str, Path]) -> str:
    """Return what changes when any of the files does: it stands in their address."""
    digest = blake2b(digest_size=8)
    for folder in folders.values():
        for path in sorted(folder.iterdir()):
            if path.is_file():
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


_VERSION = fingerprint({"own": STATIC, "htmx": HTMX})
STATIC_URL = f"/static/{_VERSION}"
HTMX_URL = f"/htmx/{_VERSION}"

_ENVIRONMENT = Environment(
    loader=PackageLoader("myriorama.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_FILTERS: dict[str, Any] = {
    "ago": ago,
    "cap": ad_words.cap,
    "clock": ad_words.clock,
    "compact": compact,
    "day": ad_words.day,
    "hours": ad_words.hours,
    "hue": hue,
    "local": ad_words.local,
    "money": ad_words.money,
    "tagged": tagged,
    "units": ad_words.units,
    "wall": ad_words.wall,
}
_ENVIRONMENT.filters.update(_FILTERS)
_GLOBALS: dict[str, Any] = {"ad_words": ad_words}
_ENVIRONMENT.globals.update(_GLOBALS)
