"""The marks of a house: under what videos are watermarked and signed, as the settings say."""

from functools import partial
from hashlib import sha256
from uuid import UUID

import msgspec

from domain.generation.events import GenerationCompleted
from myriorama.api.detect import BYTES_MAX, SECONDS_MAX, Detector
from myriorama.api.reads import Reads
from myriorama.application.videos import Missing
from myriorama.settings import SettingInvalid, WorkerSettings
from myriorama.store.objects import Objects
from myriorama.studio.certificates import (
    CertificatesInvalid,
    Credentials,
    credentials,
    trusted_authority,
)
from myriorama.studio.examination import LIMITS, examine
from myriorama.studio.provenance import Marks, Provenance
from myriorama.studio.watermark import Watermark

FOREIGN = msgspec.structs.replace(LIMITS, video_bytes_max=BYTES_MAX, cpu_s_max=30, wall_s_max=60.0)


def credentials_of(settings: WorkerSettings) -> Credentials:
    """Return with what to sign: for finishing alone.

    Raises:
        SettingInvalid: what is named cannot be used; the message says what to set.
    """
    try:
        return credentials(
            home=settings.home,
            certificates=settings.c2pa_certificates,
            key=settings.c2pa_key,
            signer_url=settings.c2pa_signer_url,
            signer_token=settings.c2pa_signer_token,
        )
    except CertificatesInvalid as error:
        raise SettingInvalid(str(error)) from error


def trust_of(settings: WorkerSettings) -> str:
    """Return the authority under which this house signs, in PEM.

    Raises:
        SettingInvalid: what is named is no certificate.
    """
    try:
        return trusted_authority(home=settings.home, certificates=settings.c2pa_certificates)
    except CertificatesInvalid as error:
        raise SettingInvalid(str(error)) from error


def provenance_of(settings: WorkerSettings, objects: Objects) -> Provenance:
    """Join what reads files again to the objects.

    Raises:
        SettingInvalid: what is named is no certificate.
    """
    watermark = Watermark(watermark_key(settings).encode())
    return Provenance(objects, watermark, trust=trust_of(settings))


def missing_of(provenance: Provenance) -> Missing:
    """Return the gate of publication."""

    def missing(generation_id: UUID, draft: GenerationCompleted, /) -> str | None:
        return provenance.missing(
            Marks(generation_id, draft.video_key, draft.sha256, draft.watermark)
        )

    return missing


def create_detector(settings: WorkerSettings, reads: Reads) -> Detector:
    """Join the detector to what is published."""
    return Detector(
        reads,
        Watermark(watermark_key(settings).encode()),
        partial(examine, trust=trust_of(settings), seconds_max=SECONDS_MAX, limits=FOREIGN),
    )


def watermark_key(settings: WorkerSettings) -> str:
    """Return the key of the watermark."""
    if settings.watermark_key:
        return settings.watermark_key
    return sha256(b"watermark key " + settings.worker_token.encode()).hexdigest()
