"""The manifest: what a video says of itself by C2PA, signed last, and what a file can prove.

Signing is the last step that touches a file: any byte changed afterwards breaks it. Reading looks
nothing up: no certificate status, and no manifest that a file says lies elsewhere.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast
from uuid import UUID

import c2pa as untyped  # pyright: ignore[reportMissingTypeStubs] - it has no types
import msgspec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from myriorama.studio.certificates import Credentials

c2pa: Any = untyped

GENERATION = "org.myriorama.generation"
WATERMARK_ALGORITHM = "org.myriorama.watermark.1"
VISIBLE_MARK = "A moving mark, AI generated, is burnt into every frame."

State = Literal["trusted", "valid", "invalid"]


class SigningFailed(RuntimeError):
    """The signing service did not sign, or what it answered is no signature."""


@dataclass(frozen=True)
class Consented:
    """On what the casting of a cameo rests: the rule by which its owner allowed it."""

    cameo_id: UUID
    permission: str


@dataclass(frozen=True)
class Claim:
    """What is claimed of a video. `watermark` is 16 hex digits; `speech` names what speaks.

    `parent` is the published file of the video that this one remixes, `parent_title` its title.
    `is_composite`: it is joined of videos, each of which may have been made in another way.
    """

    generation_id: UUID
    title: str
    model: str
    model_digest: str
    is_procedural: bool
    prompt_commitment: str
    watermark: str
    consents: tuple[Consented, ...] = ()
    speech: str | None = None
    parent: Path | None = None
    parent_title: str = ""
    is_composite: bool = False


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself, and whether that holds.

    `state` is "trusted" where this house signed, "valid" where somebody else did and nothing was
    changed since, "invalid" where something was; then `failures` has the codes of C2PA. What the
    file claims is believed no further than its state goes.
    """

    manifest_id: str
    state: State
    failures: tuple[str, ...] = ()
    issuer: str | None = None
    generator: str | None = None
    digital_source: str | None = None
    generation_id: UUID | None = None
    model: str | None = None
    watermark: str | None = None
    has_visible_mark: bool = False
    parents: tuple[str, ...] = ()


def commitment(key: bytes, generation_id: UUID, prompt: str) -> str:
    """Commit to a prompt without telling it: whoever tries prompts out learns nothing.

    A bare hash of a short prompt can be guessed. The key of this one belongs to the generation
    alone: to prove a prompt, the house discloses that key and no other.
    """
    own = hmac.digest(key, b"prompt of " + generation_id.bytes, "sha256")
    return hmac.digest(own, prompt.encode(), "sha256").hex()


def sign(source: Path, target: Path, claim: Claim, credentials: Credentials) -> str:
    """Copy an MP4 file with its manifest in it; return the manifest's ID.

    Raises:
        SigningFailed: there is no signature to be had.
    """
    settings = {**_reading(credentials.trust), "builder": {"thumbnail": {"enabled": False}}}
    failures: list[Exception] = []
    try:
        with c2pa.Context.from_dict(settings) as context, _signer(credentials, failures) as signer:
            builder = c2pa.Builder(_definition(claim), context=context)
            if claim.parent:
                with claim.parent.open("rb") as parent:
                    builder.add_ingredient(_ingredient(claim), _MP4, parent)
            with source.open("rb") as original, target.open("w+b") as signed:
                builder.sign(signer, _MP4, original, signed)
    except c2pa.C2paError as error:
        target.unlink(missing_ok=True)
        raise SigningFailed(str(failures[0] if failures else error)) from error
    manifest = read(target, credentials.trust)
    if manifest is None or manifest.state != "trusted":
        target.unlink(missing_ok=True)
        raise SigningFailed("what was signed does not hold: are these the key's certificates?")
    return manifest.manifest_id


def read(path: Path, trust: str) -> Manifest | None:
    """Read the manifest of an MP4 file; None is none. `trust` is an authority in PEM."""
    with path.open("rb") as file:
        return read_stream(file, trust)


def read_stream(file: BinaryIO, trust: str, media_type: str = "video/mp4") -> Manifest | None:
    """Read the manifest of an open file; None is none, or none that can be made sense of."""
    try:
        with (
            c2pa.Context.from_dict(_reading(trust)) as context,
            c2pa.Reader(media_type, file, context=context) as reader,
        ):
            store = json.loads(reader.json())
    except (c2pa.C2paError, ValueError):
        return None
    return _manifest(store)


_MP4 = "video/mp4"
_SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SIGNATURE_BYTES = 64
_STATES: Mapping[str, State] = {"Trusted": "trusted", "Valid": "valid"}
_SIGNING_S_MAX = 10.0
_SHOWN_MAX = 200


def _reading(trust: str) -> dict[str, object]:
    return {
        "trust": {"trust_anchors": trust},
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }


def _definition(claim: Claim) -> dict[str, object]:
    """Return the manifest as the library takes it.

    What was generated from the recipe of another video was made anew, and not edited: the parent
    is an input, and the first action is a creation.
    """
    if claim.is_composite:
        kind = "compositeSynthetic"
    else:
        kind = "algorithmicMedia" if claim.is_procedural else "trainedAlgorithmicMedia"
    own_version = version("myriorama")
    created: dict[str, object] = {
        "action": "c2pa.created",
        "digitalSourceType": _SOURCES + kind,
        "softwareAgent": {"name": claim.model, "version": claim.model_digest or own_version},
    }
    if claim.parent:
        created["parameters"] = {"ingredientIds": [_PARENT]}
    own: dict[str, object] = {
        "generation_id": str(claim.generation_id),
        "model": claim.model,
        "model_digest": claim.model_digest,
        "prompt_commitment": claim.prompt_commitment,
        "consents": [
            {"cameo_id": str(consented.cameo_id), "permission": consented.permission}
            for consented in claim.consents
        ],
        "watermark": claim.watermark,
        "visible_mark": VISIBLE_MARK,
        **({"speech": f"synthetic ({claim.speech})"} if claim.speech else {}),
    }
    value = base64.b64encode(bytes.fromhex(claim.watermark)).decode("ascii")
    return {
        "claim_generator_info": [{"name": "Myriorama", "version": own_version}],
        "title": claim.title,
        "format": _MP4,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        created,
                        {"action": "c2pa.addedText", "description": VISIBLE_MARK},
                        {"action": "c2pa.watermarked.bound"},
                    ],
                    "allActionsIncluded": True,
                },
            },
            {
                "label": "c2pa.soft-binding",
                "data": {
                    "alg": WATERMARK_ALGORITHM,
                    "blocks": [{"scope": {}, "value": value}],
                },
            },
            {"label": GENERATION, "data": own},
        ],
    }


_PARENT = "parent"


def _ingredient(claim: Claim) -> dict[str, object]:
    return {
        "title": claim.parent_title or "A video",
        "relationship": "inputTo",
        "instance_id": _PARENT,
    }


def _signer(credentials: Credentials, failures: list[Exception]) -> Any:
    chain = credentials.certificates
    if credentials.signer_url:
        service = _asking(credentials, failures)
        return c2pa.Signer.from_callback(service, c2pa.C2paSigningAlg.ES256, chain)
    # No timestamp authority: nothing outside the house is asked while a video is made.
    info = c2pa.C2paSignerInfo(b"es256", chain.encode(), credentials.key.encode(), None)
    return c2pa.Signer.from_info(info)


def _asking(credentials: Credentials, failures: list[Exception]) -> Callable[[bytes], bytes]:
    """Have a service sign that keeps the key; what goes wrong is kept, as C would swallow it."""
    import httpx  # noqa: PLC0415 - who signs with a key needs no client, and who reads neither

    def ask(content: bytes) -> bytes:
        try:
            answer = httpx.post(
                credentials.signer_url,
                json={
                    "algorithm": "ES256",
                    "digest": base64.b64encode(sha256(content).digest()).decode("ascii"),
                },
                headers={"Authorization": f"Bearer {credentials.signer_token}"},
                timeout=_SIGNING_S_MAX,
            )
            answer.raise_for_status()
            return _plain(base64.b64decode(answer.json()["signature"], validate=True))
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            failures.append(error)
            raise

    return ask


def _plain(signature: bytes) -> bytes:
    """Return a signature as C2PA has it, r and s side by side; services mostly answer DER."""
    if len(signature) == _SIGNATURE_BYTES:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(_SIGNATURE_BYTES // 2) + s.to_bytes(_SIGNATURE_BYTES // 2)


def _manifest(store: Mapping[str, Any]) -> Manifest | None:
    """Take from the library's account what matters here. Any of it may be missing or odd."""
    manifest_id = store.get("active_manifest")
    active = _mapping(_mapping(store.get("manifests")).get(str(manifest_id)))
    if not isinstance(manifest_id, str) or not active:
        return None
    assertions = {
        entry["label"]: _mapping(entry.get("data"))
        for entry in map(_mapping, _sequence(active.get("assertions")))
        if isinstance(entry.get("label"), str)
    }
    actions = assertions.get("c2pa.actions.v2", {}) or assertions.get("c2pa.actions", {})
    acted = [_mapping(action) for action in _sequence(actions.get("actions"))]
    own = assertions.get(GENERATION, {})
    generators = [_mapping(entry) for entry in _sequence(active.get("claim_generator_info"))]
    problems = [_mapping(entry) for entry in _sequence(store.get("validation_status"))]
    parents = [_mapping(entry) for entry in _sequence(active.get("ingredients"))]
    sources = [source for action in acted if (source := _text(action.get("digitalSourceType")))]
    return Manifest(
        manifest_id=manifest_id[:_SHOWN_MAX],
        state=_STATES.get(str(store.get("validation_state")), "invalid"),
        failures=tuple(code for entry in problems if (code := _text(entry.get("code")))),
        issuer=_text(_mapping(active.get("signature_info")).get("issuer")),
        generator=_text(generators[0].get("name")) if generators else None,
        digital_source=sources[0].rpartition("/")[2] if sources else None,
        generation_id=_uuid(own.get("generation_id")),
        model=_text(own.get("model")),
        watermark=_text(own.get("watermark")),
        has_visible_mark=any(action.get("action") == "c2pa.addedText" for action in acted)
        and own.get("visible_mark") == VISIBLE_MARK,
        parents=tuple(
            parent for entry in parents if (parent := _text(entry.get("active_manifest")))
        ),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _sequence(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value[:_SHOWN_MAX] if isinstance(value, str) else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
