"""The recipe of a generation: all that its video follows from, so that it can be made again."""

import unicodedata
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

from domain.generation.errors import (
    CameosInvalid,
    ExtensionInvalid,
    LengthInvalid,
    PromptInvalid,
    SeedInvalid,
    ShotUnknown,
    StoryboardInvalid,
)
from domain.generation.models import Capabilities
from domain.generation.shapes import SECONDS_MAX, SECONDS_MIN, STORYBOARD_SECONDS_MAX
from domain.text import is_seen

PROMPT_LENGTH_MAX = 2000
CAMEOS_MAX = 4
SEED_MAX = 2**63 - 1
SHOTS_MAX = 8
BETWEEN_PROMPTS = " / "
"""What stands between the prompts of shots where they are told as one."""


@dataclass(frozen=True)
class Shot:
    """A part of a storyboard: what is seen, how long, and by which seed."""

    prompt: str
    seconds: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is to be made. The same recipe gives the same video on the same model.

    `extends` is the generation that it goes on from, `stitches` are those that it joins. A remake
    names in `remake_of` what it makes again; `rerolls` is the shot that is to come out otherwise.
    """

    prompt: str
    seconds: int
    orientation: str
    resolution: str
    seed: int
    model: str
    shots: tuple[Shot, ...] = ()
    image_upload_id: UUID | None = None
    last_image_upload_id: UUID | None = None
    cameo_ids: tuple[UUID, ...] = ()
    remix_of: UUID | None = None
    extends: UUID | None = None
    stitches: tuple[UUID, ...] = ()
    remake_of: UUID | None = None
    rerolls: int | None = None

    @property
    def rendered_seconds(self) -> int:
        """How much of the video is rendered, and not taken from what was made before."""
        if self.stitches:
            return 0
        return self.seconds if self.rerolls is None else self.shots[self.rerolls].seconds

    def require_sound(self) -> None:
        """Refuse what no model could make.

        Raises:
            PromptInvalid, LengthInvalid, SeedInvalid, CameosInvalid: as they say.
            StoryboardInvalid: too many shots, or their seconds do not add up.
            ExtensionInvalid: what goes on from a video begins with nothing else.
        """
        require_prompt(self.prompt)
        _require_seed(self.seed)
        if len(self.cameo_ids) > CAMEOS_MAX or len(set(self.cameo_ids)) < len(self.cameo_ids):
            raise CameosInvalid(f"A video has up to {CAMEOS_MAX} cameos, each of them once.")
        longest = STORYBOARD_SECONDS_MAX if self.shots else SECONDS_MAX
        if not SECONDS_MIN <= self.seconds <= longest:
            raise LengthInvalid(
                f"A video lasts {SECONDS_MIN} to {SECONDS_MAX} seconds,"
                f" a storyboard up to {STORYBOARD_SECONDS_MAX}."
            )
        self._require_storyboard()
        if self.extends and (self.image_upload_id or self.shots):
            raise ExtensionInvalid(
                "An extension begins with the end of what it extends: it takes no image to begin"
                " with, and has no shots."
            )

    def require_possible(self, capabilities: Capabilities) -> None:
        """Refuse what this model cannot make. Each shot is a render of its own.

        Raises:
            ModelCannot: it cannot; the message names what it can.
        """
        for seconds in [shot.seconds for shot in self.shots] or [self.seconds]:
            capabilities.require(
                seconds=seconds,
                orientation=self.orientation,
                resolution=self.resolution,
                image=self.image_upload_id is not None,
                last_image=self.last_image_upload_id is not None,
                cameos=bool(self.cameo_ids),
                extends=self.extends is not None,
                storyboard=bool(self.shots),
            )

    def _require_storyboard(self) -> None:
        if len(self.shots) > SHOTS_MAX:
            raise StoryboardInvalid(f"A storyboard has 1 to {SHOTS_MAX} shots.")
        for shot in self.shots:
            require_prompt(shot.prompt)
            _require_seed(shot.seed)
        total = sum(shot.seconds for shot in self.shots)
        if self.shots and total != self.seconds:
            raise StoryboardInvalid(
                f"The shots last {total} seconds together, and the video {self.seconds}."
            )


def rerolled(recipe: Recipe, shot: int, *, seed: int, of: UUID) -> Recipe:
    """Return the recipe of a storyboard in which one shot comes out otherwise.

    Raises:
        ShotUnknown: it has no shot of that number.
    """
    if not 0 <= shot < len(recipe.shots):
        known = f"0 to {len(recipe.shots) - 1}" if recipe.shots else "none"
        raise ShotUnknown(f"There is no shot {shot}; the storyboard has {known}.")
    shots = list(recipe.shots)
    shots[shot] = replace(shots[shot], seed=seed)
    return replace(recipe, shots=tuple(shots), remake_of=of, rerolls=shot)


def shot_seed(seed: int, index: int) -> int:
    """Return the seed of a shot that was given none: it follows from the generation's."""
    return int.from_bytes(sha256(f"{seed} {index}".encode()).digest()[:8]) & SEED_MAX


def require_prompt(prompt: str) -> None:
    """Refuse what is no prompt.

    Raises:
        PromptInvalid: it is empty, too long, or has characters that control a terminal.
    """
    if not 1 <= len(prompt) <= PROMPT_LENGTH_MAX or not is_seen(prompt):
        raise PromptInvalid(f"A prompt has 1 to {PROMPT_LENGTH_MAX} characters.")
    # Cc: what controls a terminal; Cs: half a character, which no UTF-8 can hold.
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in prompt):
        raise PromptInvalid("A prompt has no control characters, and no line breaks either.")


def _require_seed(seed: int) -> None:
    if not 0 <= seed <= SEED_MAX:
        raise SeedInvalid(f"A seed lies between 0 and {SEED_MAX}.")
