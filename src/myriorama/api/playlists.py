"""Routes of playlists: how a player streams a video, and what it shows while somebody looks ahead.

They have stable URLs and are made anew for each who asks, if they may see the video; the files that
they name have URLs that are signed for a while, like any other.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from anyio import to_thread
from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from domain.video.errors import RenditionsNotFound
from myriorama.api.reads import Reads
from myriorama.api.shelves import require_visible
from myriorama.api.tokens import Principal, Scope
from myriorama.store.ladders import Ladder, Rung, read_ladder
from myriorama.store.objects import Objects
from myriorama.store.signing import Signer
from myriorama.studio.grids import Grid

HLS = "application/vnd.apple.mpegurl"
VTT = "text/vtt; charset=utf-8"
CAPTIONS = "captions.m3u8"
MASTER = "master.m3u8"

PLAYABLE = """
    SELECT v.width, v.height, v.duration_ms, v.video_key, v.ladder_key,
           coalesce(r.sprite_key, '') AS sprite_key, r.captions_key
    FROM videos v LEFT JOIN recipes r ON r.generation_id = v.generation_id
    WHERE v.video_id = %s
"""


class Playable(msgspec.Struct, frozen=True):
    """What there is of a video to be played."""

    width: int
    height: int
    duration_ms: int
    video_key: str
    ladder_key: str | None
    sprite_key: str
    captions_key: str | None


class Playlists:
    """Writes playlists. Ladders are named by their content: those read last are kept in memory."""

    def __init__(self, objects: Objects, signer: Signer, *, kept_max: int = 1_000) -> None:
        self._objects = objects
        self._signer = signer
        self._kept: OrderedDict[str, Ladder] = OrderedDict()
        self._kept_max = kept_max

    async def ladder(self, key: str) -> Ladder:
        """Return the ladder of that name."""
        ladder = self._kept.get(key)
        if ladder is None:
            ladder = await to_thread.run_sync(read_ladder, self._objects, key)
        self._kept[key] = ladder
        self._kept.move_to_end(key)
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return ladder

    def master(self, playable: Playable, rungs: Sequence[Rung], *, now: int) -> str:
        """Return the playlist of the rungs. It names the signed MP4 that they were made from."""
        signed = self._signer.media_url(playable.video_key, now=now)
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
        lines.append(f'#EXT-X-SESSION-DATA:DATA-ID="org.myriorama.signed-video",VALUE="{signed}"')
        captions = ""
        if playable.captions_key:
            captions = ',SUBTITLES="captions"'
            lines.append(
                '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Captions",DEFAULT=NO,'
                f'AUTOSELECT=YES,FORCED=NO,URI="{CAPTIONS}"'
            )
        for index, rung in enumerate(rungs):
            lines += [
                (
                    f"#EXT-X-STREAM-INF:BANDWIDTH={rung.peak_bits_s},"
                    f"AVERAGE-BANDWIDTH={rung.average_bits_s},"
                    f"RESOLUTION={rung.width}x{rung.height},FRAME-RATE={rung.fps}.000,"
                    f'CODECS="{rung.codecs}"{captions}'
                ),
                f"{index}.m3u8",
            ]
        return _text(lines)

    def rung(self, rung: Rung, *, now: int) -> str:
        """Return the playlist of one rung."""
        opening = self._signer.media_url(rung.opening_key, now=now)
        pieces = [
            (self._signer.media_url(piece.key, now=now), piece.duration_ms)
            for piece in rung.segments
        ]
        return _text(_media_playlist(pieces, opening=f'#EXT-X-MAP:URI="{opening}"'))

    def captions(self, playable: Playable, *, now: int) -> str:
        """Return the playlist of the captions, which are one file.

        Raises:
            RenditionsNotFound: nobody speaks in the video.
        """
        if playable.captions_key is None:
            raise RenditionsNotFound("Nobody speaks in this video.")
        url = self._signer.media_url(playable.captions_key, now=now)
        return _text(_media_playlist([(url, playable.duration_ms)]))

    def seek_thumbnails(self, playable: Playable, *, now: int) -> str:
        """Return where in the sprite sheet each moment is shown, as players read it: WebVTT.

        Without a sprite sheet it is a track in which nothing is shown.
        """
        if not playable.sprite_key:
            return "WEBVTT\n"
        sheet = self._signer.media_url(playable.sprite_key, now=now)
        size = {"width": playable.width, "height": playable.height}
        grid = Grid.of(**size, duration_ms=playable.duration_ms)
        blocks = ["WEBVTT"]
        for tile in range(grid.tiles):
            left, top = grid.place(tile)
            end_ms = min(playable.duration_ms, (tile + 1) * grid.every_ms)
            times = f"{_timestamp(tile * grid.every_ms)} --> {_timestamp(end_ms)}"
            place = f"#xywh={left},{top},{grid.tile_width},{grid.tile_height}"
            blocks.append(f"{times}\n{sheet}{place}")
        return "\n\n".join(blocks) + "\n"


@get("/hls/{playlist:str}", opt={"scope": Scope.PUBLIC}, media_type=HLS)
async def read_playlist(
    video_id: FromPath[UUID],
    playlist: FromPath[str],
    visitor: NamedDependency[Principal | None],
    reads: NamedDependency[Reads],
    playlists: NamedDependency[Playlists],
) -> Response[str]:
    """Fetch a playlist of a video that many watch: `master.m3u8`, from which the others follow."""
    playable = await _playable(reads, video_id, visitor)
    if playable.ladder_key is None:
        raise RenditionsNotFound("This video is not streamed in several sizes yet.")
    rungs = (await playlists.ladder(playable.ladder_key)).rungs
    now = int(datetime.now(UTC).timestamp())
    if playlist == MASTER:
        return _answer(playlists.master(playable, rungs, now=now), HLS)
    if playlist == CAPTIONS:
        return _answer(playlists.captions(playable, now=now), HLS)
    named = {f"{index}.m3u8": rung for index, rung in enumerate(rungs)}
    if playlist not in named:
        raise RenditionsNotFound("This video has no playlist of that name.")
    return _answer(playlists.rung(named[playlist], now=now), HLS)


@get("/thumbnails.vtt", opt={"scope": Scope.PUBLIC}, media_type=VTT)
async def read_seek_thumbnails(
    video_id: FromPath[UUID],
    visitor: NamedDependency[Principal | None],
    reads: NamedDependency[Reads],
    playlists: NamedDependency[Playlists],
) -> Response[str]:
    """Fetch where in its sprite sheet each moment of a video is shown, as WebVTT."""
    playable = await _playable(reads, video_id, visitor)
    now = int(datetime.now(UTC).timestamp())
    return _answer(playlists.seek_thumbnails(playable, now=now), VTT)


async def _playable(reads: Reads, video_id: UUID, visitor: Principal | None) -> Playable:
    await require_visible(reads, video_id, visitor.account_id if visitor else None)
    playable = await reads.one(Playable, PLAYABLE, (video_id,))
    if playable is None:
        raise RenditionsNotFound("There is no such video any more.")
    return playable


def _answer(content: str, media_type: str) -> Response[str]:
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, no-cache"})


def _media_playlist(pieces: Sequence[tuple[str, int]], opening: str | None = None) -> list[str]:
    longest_ms = max(duration_ms for _, duration_ms in pieces)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{-(-longest_ms // 1000)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        *([opening] if opening else []),
    ]
    for url, duration_ms in pieces:
        lines += [f"#EXTINF:{duration_ms / 1000:.3f},", url]
    return [*lines, "#EXT-X-ENDLIST"]


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _timestamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


router = Router(
    "/v1/videos/{video_id:uuid}",
    route_handlers=[read_playlist, read_seek_thumbnails],
    tags=["Videos"],
)
