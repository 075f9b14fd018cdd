"""Routes of cameos: record, see and change yours, see and ask which you may cast, revoke."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from domain.cameo.consent import Audience, Rule, Verdict
from domain.cameo.voices import VOICES
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.cameos import Cameos, Recording
from myriorama.application.consent import Consent
from myriorama.store.front import Front
from myriorama.store.signing import Signer

IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", required=False)]
CameoName = Annotated[str, msgspec.Meta(min_length=1, max_length=50, examples=["Alice"])]
VoiceName = Annotated[
    str,
    msgspec.Meta(max_length=20, description=f"One of {', '.join(VOICES)}.", examples=["alto"]),
]

OWN = """
    SELECT c.cameo_id, c.owner_id, a.handle, a.display_name, c.name, c.audience, c.state,
           c.face_key, c.voice_key, c.recorded_at, v.voice
    FROM cameos c JOIN accounts a ON a.account_id = c.owner_id
    LEFT JOIN cameo_voices v USING (cameo_id)
    WHERE c.owner_id = %s AND c.cameo_id < %s ORDER BY c.cameo_id DESC LIMIT %s
"""
USABLE = Path(__file__).with_suffix(".sql").read_bytes()
_AFTER_ALL = UUID(int=2**128 - 1)


class NewCameo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose uploads show and speak. Without a voice upload, the voice of the face's video does."""

    name: CameoName
    audience: Audience
    face_upload_id: UUID
    voice_upload_id: UUID | None = None


class AudienceEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may cast the cameo without being granted it."""

    audience: Audience


class ChosenVoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The synthetic voice in which the cameo speaks; null leaves it to the measured pitch."""

    voice: VoiceName | None


class CameoShown(msgspec.Struct, frozen=True):
    """A cameo. Its face is shown to those who may cast it now, and to its owner.

    `face_url` is a path below the public URL, signed for an hour or somewhat longer. `voice` is the
    synthetic voice that the owner chose, if any, and is shown to them alone.
    """

    cameo_id: UUID
    owner_id: UUID
    name: str
    audience: Audience
    state: Literal["active", "revoked"]
    has_voice: bool
    face_url: str | None
    recorded_at: datetime
    voice: str | None


class UsableRow(msgspec.Struct, frozen=True):
    """A cameo that may be cast, as the read side has it."""

    cameo_id: UUID
    owner_id: UUID
    handle: str
    display_name: str
    name: str
    audience: Audience
    face_key: str
    voice_key: str | None
    recorded_at: datetime
    state: Literal["active", "revoked"] = "active"
    voice: str | None = None


class Owner(msgspec.Struct, frozen=True):
    """Whose likeness and voice it is."""

    account_id: UUID
    handle: str
    display_name: str


class UsableCameo(msgspec.Struct, frozen=True):
    """A cameo that you may cast, as things stand."""

    cameo_id: UUID
    owner: Owner
    name: str
    has_voice: bool
    face_url: str


class CastingQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which cameos you have in mind."""

    cameo_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=20)]


class CastingDecision(msgspec.Struct, frozen=True):
    """Whether you may cast a cameo now; `rule` is what decided."""

    cameo_id: UUID
    verdict: Verdict
    rule: Rule


class CastingDecisions(msgspec.Struct, frozen=True):
    """One decision a cameo, in the order of the question."""

    decisions: list[CastingDecision]


@post("/", opt={"scope": Scope.CREATOR})
async def record_cameo(
    data: JSONBody[NewCameo],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    signer: NamedDependency[Signer],
    front: NamedDependency[Front],
) -> Response[CameoShown]:
    """Record a cameo of yourself, out of your own uploads."""
    at = datetime.now(UTC)
    recording = Recording(data.name, data.audience, data.face_upload_id, data.voice_upload_id)
    cameo = await front.command(cameos.record, recording, by=principal.account_id, at=at)
    return await front.command(_known, cameos, cameo.id, principal, signer, at=at)


@get("/", opt={"scope": Scope.VIEWER})
async def list_cameos(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[CameoShown]:
    """List your own cameos, newest first, the revoked ones too."""
    listing = f"cameos:{principal.account_id}"
    now = int(datetime.now(UTC).timestamp())
    params = (principal.account_id, _before(cursors, listing, cursor), limit + 1)
    found = await reads.many(UsableRow, OWN, params)
    items = [
        CameoShown(
            cameo_id=row.cameo_id,
            owner_id=row.owner_id,
            name=row.name,
            audience=row.audience,
            state=row.state,
            has_voice=row.voice_key is not None,
            face_url=signer.media_url(row.face_key, now=now),
            recorded_at=row.recorded_at,
            voice=row.voice,
        )
        for row in found[:limit]
    ]
    more = len(found) > limit
    next_cursor = cursors.write(listing, (items[-1].cameo_id.hex,)) if more else None
    return Page(items=items, next_cursor=next_cursor)


@get("/usable", opt={"scope": Scope.VIEWER})
async def list_usable_cameos(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[UsableCameo]:
    """List the cameos that you may cast, newest first; what counts is decided when you do."""
    listing = f"usable-cameos:{principal.account_id}"
    at = datetime.now(UTC)
    params = {
        "account_id": principal.account_id,
        "at": at,
        "before": _before(cursors, listing, cursor),
        "limit": limit + 1,
    }
    found = await reads.many(UsableRow, USABLE, params)
    items = [
        UsableCameo(
            cameo_id=row.cameo_id,
            owner=Owner(row.owner_id, row.handle, row.display_name),
            name=row.name,
            has_voice=row.voice_key is not None,
            face_url=signer.media_url(row.face_key, now=int(at.timestamp())),
        )
        for row in found[:limit]
    ]
    more = len(found) > limit
    next_cursor = cursors.write(listing, (items[-1].cameo_id.hex,)) if more else None
    return Page(items=items, next_cursor=next_cursor)


@post("/check", opt={"scope": Scope.VIEWER}, status_code=200)
async def check_casting(
    data: JSONBody[CastingQuestion],
    principal: NamedDependency[Principal],
    consent: NamedDependency[Consent],
    front: NamedDependency[Front],
) -> CastingDecisions:
    """Ask whether you may cast some cameos now. Nobody is told that you asked."""
    by, at = principal.account_id, datetime.now(UTC)
    decisions = await front.command(consent.decide, data.cameo_ids, by=by, at=at)
    return CastingDecisions([CastingDecision(d.cameo_id, d.verdict, d.rule) for d in decisions])


@get("/{cameo_id:uuid}", opt={"scope": Scope.VIEWER})
async def read_cameo(
    cameo_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    signer: NamedDependency[Signer],
    front: NamedDependency[Front],
) -> Response[CameoShown]:
    """Read a cameo that you own, may cast or may ask for."""
    at = datetime.now(UTC)
    return await front.command(_known, cameos, cameo_id, principal, signer, at=at)


@patch("/{cameo_id:uuid}", opt={"scope": Scope.CREATOR})
async def change_audience(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    cameo_id: FromPath[UUID],
    data: JSONBody[AudienceEdit],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    signer: NamedDependency[Signer],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[CameoShown]:
    """Change who may cast your cameo without being granted it."""
    at = datetime.now(UTC)
    await front.command(
        cameos.change_audience,
        cameo_id,
        data.audience,
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=at,
    )
    return await front.command(_known, cameos, cameo_id, principal, signer, at=at)


@put("/{cameo_id:uuid}/voice", opt={"scope": Scope.CREATOR})
async def choose_voice(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    cameo_id: FromPath[UUID],
    data: JSONBody[ChosenVoice],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    signer: NamedDependency[Signer],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[CameoShown]:
    """Choose in which synthetic voice your cameo speaks, from the next attempt at a video on."""
    at = datetime.now(UTC)
    await front.command(
        cameos.choose_voice,
        cameo_id,
        data.voice,
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=at,
    )
    return await front.command(_known, cameos, cameo_id, principal, signer, at=at)


@delete("/{cameo_id:uuid}", opt={"scope": Scope.CREATOR})
async def revoke_cameo(
    cameo_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
) -> None:
    """Withdraw your cameo for good: nobody casts it any more, you neither."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(cameos.revoke, cameo_id, by=by, at=at)


def _before(cursors: Cursors, listing: str, cursor: str | None) -> UUID:
    after = cursors.read(listing, cursor)
    return UUID(hex=str(after[0])) if after else _AFTER_ALL


def _known(
    cameos: Cameos, cameo_id: UUID, principal: Principal, signer: Signer, *, at: datetime
) -> Response[CameoShown]:
    cameo, decision = cameos.known(cameo_id, by=principal.account_id, at=at)
    is_owner = cameo.owner_id == principal.account_id
    seen = decision.verdict == "allow" or is_owner
    now = int(at.timestamp())
    shown = CameoShown(
        cameo_id=cameo.id,
        owner_id=cameo.owner_id,
        name=cameo.name,
        audience=msgspec.convert(cameo.audience, Audience),
        state="revoked" if cameo.revoked else "active",
        has_voice=cameo.voice_key is not None,
        face_url=signer.media_url(cameo.face_key, now=now) if seen else None,
        recorded_at=cameo.recorded_at,
        voice=cameo.voice if is_owner else None,
    )
    return Response(shown, headers={"ETag": etag(cameo.version)})


router = Router(
    "/v1/cameos",
    route_handlers=[
        record_cameo,
        list_cameos,
        list_usable_cameos,
        check_casting,
        read_cameo,
        change_audience,
        choose_voice,
        revoke_cameo,
    ],
    tags=["Cameos"],
)
