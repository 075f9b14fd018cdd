"""From a work to the scenes that a renderer takes: one for each shot, with all that it needs."""

from collections.abc import Sequence

from domain.generation.models import Capabilities
from domain.generation.recipe import Shot
from domain.generation.work import Work
from myriorama.store.objects import Objects
from myriorama.studio import masters
from myriorama.studio.hearing import recorded
from myriorama.studio.renderer import Footage, Likeness, Recording, Scene
from myriorama.studio.shots import shots_of, speakers
from myriorama.studio.speech import Speaker, perform, track
from myriorama.workers.fetching import fetched


def scenes_of(work: Work, objects: Objects, able: Capabilities) -> Sequence[Scene]:
    """Return the shots that are to be rendered, in their order.

    The first one begins with the image, or goes on from what is extended; the last one ends with
    the last image. A model whose lips follow speech, but which does not speak, gets it spoken.

    Raises:
        ObjectNotFound: a picture is gone, or a master.
        MasterUnreadable: what is to be extended cannot be read.
        UnrenderableScene: no renderer takes such a size or length.
        SpeechBroken: the synthesiser did not speak.
    """
    cameos = tuple(
        Likeness(
            cameo.name,
            objects.read(cameo.face_key),
            cameo.voice_pitch_hz,
            recorded(objects.read(cameo.voice_key)) if cameo.voice_key else None,
        )
        for cameo in work.cameos
    )
    cast = speakers(work)
    shots = shots_of(work)
    last = len(shots) - 1
    footage = _footage(work, objects)
    return [
        Scene(
            prompt=shot.prompt,
            width=work.width,
            height=work.height,
            seconds=shot.seconds,
            seed=shot.seed,
            fps=work.fps,
            image=objects.read(work.image_key) if work.image_key and index == 0 else None,
            last_image=(
                objects.read(work.last_image_key) if work.last_image_key and index == last else None
            ),
            footage=footage if index == 0 else None,
            cameos=cameos,
            speech=_speech(shot, cast) if able.needs_speech else None,
        )
        for index, shot in enumerate(shots)
        if work.rerolls in {None, index}
    ]


def _speech(shot: Shot, cast: Sequence[Speaker]) -> Recording | None:
    return track(perform(shot.prompt, shot.seconds, cast=cast), shot.seconds)


def _footage(work: Work, objects: Objects) -> Footage | None:
    """Return the end of what the work goes on from."""
    if work.extends_key is None:
        return None
    with fetched(objects, [work.extends_key]) as (master,):
        return masters.ending(master)
