"""What a generation rests on beside its words: images, what it remixes, what it goes on from.

Each is returned with its read set, so that it is still so when the generation is recorded.
"""

from collections.abc import Sequence
from uuid import UUID

from domain.generation.aggregate import Generation
from domain.generation.errors import (
    ExtensionInvalid,
    GenerationNotFound,
    ImageUnsuitable,
    MasterMissing,
)
from domain.generation.recipe import Recipe
from domain.generation.shapes import Size
from domain.generation.wish import Wish
from domain.upload.aggregate import Upload
from domain.upload.errors import UploadNotFound
from domain.video.aggregate import Video
from myriorama.application.relations import joined, visible_video
from myriorama.store.log import Log


class Sources:
    """Finds what may be used in a generation, for one who may use it. Records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def recipe_behind(self, wish: Wish, *, by: UUID) -> Recipe | None:
        """Return the recipe that a wish changes: of what it extends, or remixes; else None.

        Raises:
            GenerationNotFound, MasterMissing: what it extends is not there to go on from.
            VideoNotFound, RemixingForbidden: what it remixes is hidden, or not to be remixed.
            ExtensionInvalid: it is to extend one video and to remix another.
        """
        if wish.extends:
            if wish.remix_of:
                raise ExtensionInvalid("An extension remixes what the extended video remixes.")
            return self.made(wish.extends, by=by)[0].recipe
        if wish.remix_of:
            parent, _ = visible_video(self._log, wish.remix_of, to=by)
            parent.require_remixable(by=by)
            behind = self._log.find(Generation, parent.generation_id)
            return behind.recipe if behind else None
        return None

    def of(self, recipe: Recipe, size: Size, *, by: UUID) -> dict[UUID, int]:
        """Require all that a recipe rests on, and return the read set of it.

        Raises:
            UploadNotFound, UploadNotCleared, ImageUnsuitable: an image is not to be had.
            VideoNotFound, RemixingForbidden: what it remixes is hidden, or not to be remixed.
            GenerationNotFound, MasterMissing: what it is made from is not there.
            ExtensionInvalid: what it extends is of another size.
        """
        reads = [
            self._image(upload_id, by=by)
            for upload_id in dict.fromkeys((recipe.image_upload_id, recipe.last_image_upload_id))
            if upload_id
        ]
        if recipe.remix_of:
            parent, read = visible_video(self._log, recipe.remix_of, to=by)
            parent.require_remixable(by=by)
            reads.append(read)
        if recipe.extends:
            extended, read = self.made(recipe.extends, by=by)
            if extended.size != size:
                theirs = f"{extended.size.width}x{extended.size.height}"
                raise ExtensionInvalid(
                    f"What it extends is {theirs}, which {recipe.model} does not render."
                )
            reads.append(read)
        made_from = dict.fromkeys(recipe.stitches)
        if recipe.rerolls is not None and recipe.remake_of:
            made_from[recipe.remake_of] = None
        reads += [self.made(generation_id, by=by)[1] for generation_id in made_from]
        return joined(*reads)

    def made(self, generation_id: UUID, *, by: UUID) -> tuple[Generation, dict[UUID, int]]:
        """Return one's own finished video, draft or published, and the read set of it.

        Raises:
            GenerationNotFound: there is none, it is somebody else's, or its video was deleted.
            MasterMissing: no master was kept of it.
        """
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise GenerationNotFound("There is no such generation.")
        generation.require_owner(by)
        video_id = Video.identify(generation_id)
        video = self._log.find(Video, video_id)
        if generation.state != "completed" or (video and video.deleted):
            raise GenerationNotFound("There is no finished video of this generation.")
        if generation.completed is None or not generation.completed.master_key:
            raise MasterMissing("No master was kept of this video; make it again first.")
        return generation, {generation_id: generation.version, video_id: _version(video)}

    def all_made(self, generation_ids: Sequence[UUID], *, by: UUID) -> list[Generation]:
        """Return one's own finished videos, in order.

        Raises:
            GenerationNotFound, MasterMissing: one of them is not there.
        """
        return [self.made(generation_id, by=by)[0] for generation_id in generation_ids]

    def _image(self, upload_id: UUID, *, by: UUID) -> dict[UUID, int]:
        upload = self._log.find(Upload, upload_id)
        if upload is None or upload.owner_id != by:
            raise UploadNotFound(upload_id)
        upload.require_cleared()
        if upload.purpose != "image":
            raise ImageUnsuitable("Upload the picture with the purpose `image`.")
        return {upload.id: upload.version}


def _version(video: Video | None) -> int:
    return video.version if video else 0
