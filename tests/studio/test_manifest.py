"""A manifest says what a video is, and breaks when the video is touched."""

import base64
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from myriorama.studio.certificates import CertificatesInvalid, Credentials, credentials
from myriorama.studio.manifest import Claim, Consented, SigningFailed, commitment, read, sign
from tests.recoded import encoded

TOKEN = "a token"  # noqa: S105 - of the tests alone
GENERATION, CAMEO = uuid4(), uuid4()
CLAIM = Claim(
    generation_id=GENERATION,
    title="A fox",
    model="emoji-1",
    model_digest="ab" * 32,
    is_procedural=False,
    prompt_commitment=commitment(b"a secret", GENERATION, "a fox"),
    watermark="00ff00ff00ff00ff",
    consents=(Consented(CAMEO, "everyone"),),
    speech="espeak-ng",
)


@pytest.fixture
def own(tmp_path: Path) -> Credentials:
    return made(tmp_path / "home")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(encoded(np.full((6, 64, 64, 3), 99, np.uint8)))
    return path


def made(home: Path) -> Credentials:
    return credentials(home=home, certificates="", key="", signer_url="", signer_token="")


@contextmanager
def signing_service(key: str, token: str) -> Generator[str]:
    """A service that keeps a key, and signs digests for who shows the token."""
    loaded = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    private: ec.EllipticCurvePrivateKey = loaded

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            digest = base64.b64decode(asked["digest"])
            allowed = self.headers["Authorization"] == f"Bearer {token}"
            self.send_response(200 if allowed else 403)
            self.end_headers()
            signature = private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
            body = {"signature": base64.b64encode(signature).decode()} if allowed else {}
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sign"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_signed_video_says_what_it_is(video: Path, own: Credentials, tmp_path: Path) -> None:
    signed = tmp_path / "signed.mp4"

    manifest_id = sign(video, signed, CLAIM, own)

    manifest = read(signed, own.trust)
    assert manifest
    assert (manifest.manifest_id, manifest.state) == (manifest_id, "trusted")
    assert manifest.digital_source == "trainedAlgorithmicMedia"
    assert manifest.generation_id == GENERATION
    assert manifest.watermark == CLAIM.watermark
    assert manifest.has_visible_mark
    content = signed.read_bytes()
    assert str(CAMEO).encode() in content
    assert b"a fox" not in content
    assert read(video, own.trust) is None


def test_what_is_drawn_by_rules_is_not_called_trained(
    video: Path, own: Credentials, tmp_path: Path
) -> None:
    sign(video, tmp_path / "signed.mp4", replace(CLAIM, is_procedural=True), own)

    manifest = read(tmp_path / "signed.mp4", own.trust)

    assert manifest
    assert manifest.digital_source == "algorithmicMedia"


def test_a_remix_names_its_parent(video: Path, own: Credentials, tmp_path: Path) -> None:
    parent, remix = tmp_path / "parent.mp4", tmp_path / "remix.mp4"
    parent_id = sign(video, parent, CLAIM, own)

    sign(video, remix, replace(CLAIM, generation_id=uuid4(), parent=parent), own)

    manifest = read(remix, own.trust)
    assert manifest
    assert manifest.state == "trusted"
    assert manifest.parents == (parent_id,)


def test_a_touched_byte_breaks_the_manifest(video: Path, own: Credentials, tmp_path: Path) -> None:
    signed = tmp_path / "signed.mp4"
    sign(video, signed, CLAIM, own)
    content = bytearray(signed.read_bytes())

    content[content.rindex(b"mdat") + 100] ^= 1
    signed.write_bytes(content)

    manifest = read(signed, own.trust)
    assert manifest
    assert (manifest.state, manifest.failures) == ("invalid", ("assertion.bmffHash.mismatch",))


def test_another_house_is_not_trusted(video: Path, own: Credentials, tmp_path: Path) -> None:
    signed = tmp_path / "signed.mp4"
    sign(video, signed, CLAIM, made(tmp_path / "elsewhere"))

    manifest = read(signed, own.trust)

    assert manifest
    assert manifest.state == "valid"


def test_a_service_signs_that_keeps_the_key(video: Path, own: Credentials, tmp_path: Path) -> None:
    signed = tmp_path / "signed.mp4"
    with signing_service(own.key, TOKEN) as url:
        remote = Credentials(own.certificates, signer_url=url, signer_token=TOKEN)

        sign(video, signed, CLAIM, remote)

        with pytest.raises(SigningFailed, match="403"):
            sign(video, tmp_path / "none.mp4", CLAIM, replace(remote, signer_token=TOKEN[:-1]))
    manifest = read(signed, own.trust)
    assert manifest
    assert manifest.state == "trusted"
    assert not (tmp_path / "none.mp4").exists()


def test_certificates_are_made_once_and_their_key_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"

    first, again = made(home), made(home)

    assert first == again
    assert (home / "c2pa" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(first)


def test_half_a_setting_is_refused(own: Credentials, tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(own.certificates)
    key.write_text(made(tmp_path / "other").key)
    ways = [(str(chain), ""), ("", str(key)), (str(chain), str(key)), (str(key), str(key))]

    for certificates, private in ways:
        with pytest.raises(CertificatesInvalid):
            credentials(
                home=tmp_path,
                certificates=certificates,
                key=private,
                signer_url="",
                signer_token="",
            )


def test_prompts_that_are_tried_out_do_not_match_without_the_key() -> None:
    said = commitment(b"a secret", GENERATION, "a fox")

    assert said == commitment(b"a secret", GENERATION, "a fox")
    assert said != commitment(b"a guess", GENERATION, "a fox")
    assert said != commitment(b"a secret", UUID(int=1), "a fox")
