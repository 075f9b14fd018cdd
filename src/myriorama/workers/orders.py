"""What the worker and its two kinds of process say to one another: orders, and news of them.

An order has a number, and so has all news of it. Clips do not go this way: they lie in files, in a
folder that the order names.
"""

from typing import Literal

import msgspec

from domain.generation.work import Delivery, Work


class Studio(msgspec.Struct, frozen=True):
    """With what to render, as the settings say it: told to a renderer's process first."""

    objects: str
    renderer: str
    model: str
    home: str
    precision: Literal["bf16", "fp8"] = "bf16"


class Finishing(msgspec.Struct, frozen=True):
    """With what to finish, mark and sign: told to a finishing process first, and to no other.

    Certificates and key are PEM, or instead of the key there is a service that signs. `policy` is a
    file; empty: the one that is shipped.
    """

    objects: str
    watermark_key: str
    certificates: str
    key: str = ""
    signer_url: str = ""
    signer_token: str = ""
    policy: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(objects={self.objects!r})"  # The rest is secret.


class Render(msgspec.Struct, frozen=True, tag=True):
    """Render these, together if they are several, and leave each clip in its folder."""

    order: int
    works: tuple[Work, ...]
    folders: tuple[str, ...]


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Nobody wants what was ordered any more."""

    order: int


class Began(msgspec.Struct, frozen=True, tag=True):
    """The order is being rendered; before, the renderer was idle for so long."""

    order: int
    idle_ms: int


class Step(msgspec.Struct, frozen=True, tag=True):
    """So many steps are done."""

    order: int
    done: int
    total: int


class Shown(msgspec.Struct, frozen=True, tag=True):
    """What can be seen so far lies in the object store, one picture for each work."""

    order: int
    keys: tuple[str, ...]


class Rendered(msgspec.Struct, frozen=True):
    """What was rendered, and by what. `gpu_ms` is the share of one work of the order."""

    renderer: str
    digest: str
    render_ms: int
    gpu_ms: int
    is_procedural: bool
    speaks: bool
    follows_speech: bool


class Clips(msgspec.Struct, frozen=True, tag=True):
    """All works of the order are rendered: the clips lie in their folders."""

    order: int
    rendered: Rendered


class Broken(msgspec.Struct, frozen=True, tag=True):
    """Nothing came of it. `reason` is a stable code.

    `is_spent`: the process cannot be trusted with another order, and is to be started anew.
    """

    order: int
    reason: str
    detail: str
    is_spent: bool = False


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """It was stopped, as told."""

    order: int


class Finish(msgspec.Struct, frozen=True, tag=True):
    """Make of the clip in a folder what can be published. What is stitched has no clip."""

    order: int
    work: Work
    folder: str
    rendered: Rendered | None


class Made(msgspec.Struct, frozen=True, tag=True):
    """The files are in the object store."""

    order: int
    delivery: Delivery


RenderOrder = Render | Stop
RenderNews = Began | Step | Shown | Clips | Broken | Stopped
FinishNews = Made | Broken
