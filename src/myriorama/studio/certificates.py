"""The certificates under which a house signs what it makes: its own, or some made on first run.

Made ones are for development: nobody outside trusts them. Production names its chain in the
settings, and keeps its key in a file or behind a signing service.
"""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_FOLDER = "c2pa"
_CERTIFICATES, _KEY = "certificates.pem", "key.pem"
# Without a timestamp authority a signature is worth no more once its certificate has expired.
_VALID = timedelta(days=3650)


class CertificatesInvalid(ValueError):
    """What the settings name are no certificates, or no key that fits them."""


@dataclass(frozen=True)
class Credentials:
    """With what to sign: the chain in PEM, from the signer's certificate to its authority's.

    Either `key` is the private key in PEM (EC P-256), or `signer_url` is a service that keeps it
    and is shown `signer_token`.
    """

    certificates: str
    key: str = field(default="", repr=False)
    signer_url: str = ""
    signer_token: str = field(default="", repr=False)

    @property
    def trust(self) -> str:
        """The authority in PEM: signatures under it are this house's."""
        return authority(self.certificates)


def credentials(
    *, home: Path, certificates: str, key: str, signer_url: str, signer_token: str
) -> Credentials:
    """Read what the settings name; where they name nothing, make some in `home`, once.

    Raises:
        CertificatesInvalid: a file is missing or holds something else, or only half is named.
    """
    if not certificates and (key or signer_url):
        raise CertificatesInvalid("MYRIORAMA_C2PA_CERTIFICATES must name the chain of the key.")
    if certificates and not key and not signer_url:
        raise CertificatesInvalid(
            "Set MYRIORAMA_C2PA_KEY or MYRIORAMA_C2PA_SIGNER_URL beside the certificates."
        )
    if not certificates:
        folder = _ensure_development(home)
        return Credentials(_read(folder / _CERTIFICATES), _read(folder / _KEY))
    chain = _read(Path(certificates))
    authority(chain)
    if signer_url:
        return Credentials(chain, signer_url=signer_url, signer_token=signer_token)
    private = _read(Path(key))
    _require_pair(chain, private)
    return Credentials(chain, private)


def trusted_authority(*, home: Path, certificates: str) -> str:
    """Return the authority, in PEM, under which this house signs; no key is read for it.

    Raises:
        CertificatesInvalid: the file is missing or holds something else.
    """
    path = Path(certificates) if certificates else _ensure_development(home) / _CERTIFICATES
    return authority(_read(path))


def authority(chain: str) -> str:
    """Return the last certificate of a chain.

    Raises:
        CertificatesInvalid: this is no chain in PEM.
    """
    return _pem(_parsed(chain)[-1])


def _ensure_development(home: Path) -> Path:
    """Make a chain, if there is none. Two that make one at a time end up with the same."""
    folder = home / _FOLDER
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{_FOLDER}-", dir=home))
        try:
            chain, key = _development()
            (partial / _CERTIFICATES).write_text(chain, encoding="ascii")
            (partial / _KEY).touch(mode=0o600)
            (partial / _KEY).write_text(key, encoding="ascii")
            with suppress(OSError):  # another process was first
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _development() -> tuple[str, str]:
    """Make an authority that signs one certificate, and whose key is thrown away."""
    ours, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Myriorama development authority", theirs.public_key(), theirs)
    leaf = _certificate("Myriorama development", ours.public_key(), theirs, root)
    key = ours.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _pem(leaf) + _pem(root), key.decode("ascii")


def _certificate(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    signed_by: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None = None,
) -> x509.Certificate:
    """Make a certificate as C2PA wants it; without an issuer it is an authority's own."""
    is_authority = issuer is None
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Myriorama (development)"),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(signed_by, hashes.SHA256())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CertificatesInvalid(f"{path} cannot be read: {type(error).__name__}.") from error


def _parsed(chain: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(chain.encode())
    except ValueError as error:
        raise CertificatesInvalid("This is no chain of certificates in PEM.") from error


def _require_pair(chain: str, key: str) -> None:
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (TypeError, ValueError) as error:
        raise CertificatesInvalid("This is no private key in PEM without a password.") from error
    if not (
        isinstance(private, ec.EllipticCurvePrivateKey)
        and isinstance(private.curve, ec.SECP256R1)
        and private.public_key() == _parsed(chain)[0].public_key()
    ):
        raise CertificatesInvalid("The key must be EC P-256, and of the first certificate.")


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
