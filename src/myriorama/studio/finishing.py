"""Finishing: from a clip as it was rendered to the files that are delivered, in one fixed order.

Speech and loudness, then screening, then the master, then the marks, and last of all the signature
over everything before it. The master alone bears no mark, and nobody but the studio reads it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from itertools import zip_longest
from pathlib import Path

from domain.generation.work import Delivery, Verdict, Work
from myriorama.studio import masters
from myriorama.studio.captions import Cue, cues_of, engines_of, transcript
from myriorama.studio.certificates import Credentials
from myriorama.studio.dialogue import lines
from myriorama.studio.encoding import Encoded, encode, write_master
from myriorama.studio.manifest import Claim, Consented, sign
from myriorama.studio.marking import burn_mark
from myriorama.studio.perceptual import perceptual_hash
from myriorama.studio.renderer import Clip
from myriorama.studio.screening import FAILED_RENDER, Screening
from myriorama.studio.shots import shots_of, speakers, spliced
from myriorama.studio.sound import mixed
from myriorama.studio.speech import Performance, perform
from myriorama.studio.synthesis import ESPEAK
from myriorama.studio.watermark import Watermark


@dataclass(frozen=True)
class Origin:
    """What rendered a clip, as its manifest tells it. `speaks`: it says dialogue by itself.

    `follows_speech`: it was given what is said, and the clip sounds of it already.
    """

    model: str
    digest: str
    gpu_ms: int = 0
    is_procedural: bool = False
    speaks: bool = False
    follows_speech: bool = False


@dataclass(frozen=True)
class Parts:
    """Files that a work refers to, fetched: the masters it is joined of, and its parent's video.

    `captions` are those of the masters; None where nobody speaks, or a model did by itself.
    """

    stitched: Sequence[Path] = ()
    captions: Sequence[Path | None] = ()
    rerolled: Path | None = None
    parent: Path | None = None


@dataclass(frozen=True)
class Marks:
    """With what videos are marked and signed."""

    watermark: Watermark
    credentials: Credentials


@dataclass(frozen=True)
class File:
    """A file to be stored, under a key of its kind."""

    kind: str
    path: Path
    media_type: str


@dataclass(frozen=True)
class Finished:
    """The files of a video, each of which the delivery names by the key that it is to get."""

    master: File
    video: File
    poster: File
    thumbnail: File
    sprite: File
    captions: File | None
    facts: Delivery
    """All but the keys."""

    @property
    def files(self) -> Sequence[File]:
        """In the order in which they are to be stored."""
        named = (self.master, self.poster, self.thumbnail, self.sprite, self.captions, self.video)
        return [file for file in named if file is not None]


class RenderFailed(Exception):
    """What was rendered is no video worth the name."""


class Finisher:
    """Finishes clips, one after the other."""

    def __init__(self, marks: Marks, screening: Screening) -> None:
        self._marks = marks
        self._screening = screening

    def finish(
        self, clip: Clip | None, work: Work, origin: Origin, folder: Path, parts: Parts
    ) -> Finished:
        """Make the files in a folder that exists. The clip's frames are written over.

        What is stitched has no clip: it is joined of masters, which have been spoken already.

        Raises:
            MasterUnreadable, CaptionsUnreadable: what the clip is joined of cannot be read.
            RenderFailed: the clip shows nothing: the renderer's fault, and nobody's to pay for.
            SpeechBroken, SigningFailed: as they say.
            OSError: the disk is full, say.
        """
        began_s = time.process_time()
        clip, performance = _spoken(clip, work, origin, parts)
        said = _said(work, origin, performance)
        verdicts = self._screening.of_frames(clip.frames, clip.fps)
        _require_rendered(verdicts)
        if said:
            verdicts += self._screening.of_transcript(said)
        master = folder / "master.mp4"
        write_master(clip, master)
        burn_mark(clip.frames)
        self._marks.watermark.embed(clip.frames, int(work.watermark, 16), fps=clip.fps)
        encoded = encode(
            clip,
            folder,
            cues=performance.cues,
            unspoken=performance.unspoken,
            engines=performance.engines,
        )
        video = folder / "signed.mp4"
        claim = _claim(work, origin, parts, engines=performance.engines)
        manifest_id = sign(encoded.video, video, claim, self._marks.credentials)
        facts = replace(
            _facts(encoded, video, origin),
            model_digest=origin.digest,
            watermark=work.watermark,
            perceptual_hash=f"{perceptual_hash(clip.frames):016x}",
            manifest_id=manifest_id,
            transcript=said,
            encode_ms=round((time.process_time() - began_s) * 1000),
            verdicts=tuple(verdicts),
        )
        return Finished(
            master=File("masters", master, "video/mp4"),
            video=File("videos", video, "video/mp4"),
            poster=File("posters", encoded.poster, "image/jpeg"),
            thumbnail=File("thumbnails", encoded.thumbnail, "image/webp"),
            sprite=File("sprites", encoded.sprite, "image/webp"),
            captions=File("captions", encoded.captions, "text/vtt") if encoded.captions else None,
            facts=facts,
        )


def _spoken(
    clip: Clip | None, work: Work, origin: Origin, parts: Parts
) -> tuple[Clip, Performance]:
    """Return the whole clip as it sounds, with what is said in it."""
    if clip is None:
        return masters.stitched(parts.stitched), _joined(parts)
    if origin.speaks:
        return _whole(mixed(clip), work, parts), Performance()
    cast = speakers(work)
    performances = list[Performance]()
    start_s = 0.0
    for shot in shots_of(work):
        performances.append(perform(shot.prompt, shot.seconds, start_s=start_s, cast=cast))
        start_s += shot.seconds
    whole = Performance()
    for performance in performances:
        whole = whole.followed_by(performance)
    if work.rerolls is None:
        return mixed(clip, () if origin.follows_speech else whole.voiced), whole
    shot = shots_of(work)[work.rerolls]
    alone = perform(shot.prompt, shot.seconds, cast=cast)
    voiced = () if origin.follows_speech else alone.voiced
    return _whole(mixed(clip, voiced), work, parts), whole


_ONLY_ENGINE_ONCE = ESPEAK
"""What speaks where captions do not say it: they were written when there was no other."""


def _joined(parts: Parts) -> Performance:
    """Return what is said in the parts, each line as much later as its part begins."""
    cues = list[Cue]()
    engines = set[str]()
    begins_s = 0.0
    # Whoever knew of no captions named none.
    for master, captions in zip_longest(parts.stitched, parts.captions):
        later_ms = round(begins_s * 1000)
        content = captions.read_text("utf-8") if captions else ""
        said = cues_of(content) if captions else ()
        cues += [
            replace(cue, start_ms=cue.start_ms + later_ms, end_ms=cue.end_ms + later_ms)
            for cue in said
        ]
        if said:
            engines |= engines_of(content) or {_ONLY_ENGINE_ONCE}
        begins_s += masters.seconds(master)
    return Performance(cues=tuple(cues), engines=frozenset(engines))


def _require_rendered(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.verdict == "refuse" and verdict.code == FAILED_RENDER:
            raise RenderFailed(verdict.words)


def _whole(clip: Clip, work: Work, parts: Parts) -> Clip:
    """Put a shot that was rendered anew into the place of the one that was there."""
    if work.rerolls is None or parts.rerolled is None:
        return clip
    return spliced(masters.read(parts.rerolled), clip, shots_of(work), work.rerolls)


def _said(work: Work, origin: Origin, performance: Performance) -> str | None:
    if work.stitch_keys:
        # Not of the cues: there are none of what a model said by itself.
        return "\n".join(work.stitch_transcripts) or None
    return transcript(performance.cues) or _quoted(work, origin)


def _quoted(work: Work, origin: Origin) -> str | None:
    """Return what a model was told to say by itself."""
    if not origin.speaks:
        return None
    names = [cameo.name for cameo in work.cameos]
    said = (line.text for shot in shots_of(work) for line in lines(shot.prompt, names))
    return "\n".join(said) or None


def _claim(work: Work, origin: Origin, parts: Parts, *, engines: frozenset[str]) -> Claim:
    return Claim(
        generation_id=work.generation_id,
        title="A generated video",
        model=origin.model,
        model_digest=origin.digest,
        is_procedural=origin.is_procedural,
        prompt_commitment=work.prompt_commitment,
        watermark=work.watermark,
        consents=tuple(Consented(each.cameo_id, each.permission) for each in work.consents),
        speech=", ".join(sorted(engines)) or None,
        parent=parts.parent,
        parent_title=work.parent_title or "",
        is_composite=bool(work.stitch_keys),
    )


def _facts(encoded: Encoded, video: Path, origin: Origin) -> Delivery:
    with video.open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    return Delivery(
        video_key="",
        poster_key="",
        thumbnail_key="",
        sha256=sha256,
        size_bytes=video.stat().st_size,
        width=encoded.width,
        height=encoded.height,
        duration_ms=encoded.duration_ms,
        renderer=origin.model,
        gpu_ms=origin.gpu_ms,
    )
