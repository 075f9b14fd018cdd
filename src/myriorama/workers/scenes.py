"""From a work to the scenes that a renderer takes: one for each shot, with all that it needs."""

from collections.abc import Sequence

from domain.generation.recipe import Shot
from domain.generation.work import Work
from myriorama.store.objects import Objects
from myriorama.studio.renderer import Likeness, Scene


def scenes_of(work: Work, objects: Objects) -> Sequence[Scene]:
    """Return the shots that are to be rendered, in their order.

    The first one begins with the image, and the last one ends with the last image.

    Raises:
        ObjectNotFound: a picture is gone.
        UnrenderableScene: no renderer takes such a size or length.
    """
    cameos = tuple(
        Likeness(cameo.name, objects.read(cameo.face_key), cameo.voice_pitch_hz)
        for cameo in work.cameos
    )
    shots = work.shots or (Shot(work.prompt, work.seconds, work.seed),)
    last = len(shots) - 1
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
            cameos=cameos,
        )
        for index, shot in enumerate(shots)
        if work.rerolls in {None, index}
    ]
