"""The chain of checks: each of them gives a verdict, and one refusal is enough."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from domain.generation.work import Verdict
from myriorama.studio.screening.classifier import Classifier as Model
from myriorama.studio.screening.classifier import WeightsInvalid
from myriorama.studio.screening.failed_render import cells, change, contrast
from myriorama.studio.screening.flashing import flashes
from myriorama.studio.screening.folding import WORD, Folded, fold, fold_letters
from myriorama.studio.screening.policy import (
    SHIPPED,
    Check,
    Classifier,
    FailedRender,
    Flashing,
    Pairs,
    Policy,
    PolicyInvalid,
    Stage,
    Words,
)
from myriorama.studio.screening.terms import Terms

Frames = NDArray[np.uint8]
Refusal = tuple[str, str] | None
"""A code, and for the log alone what gave rise to it."""

_OfText = Callable[[Folded], Refusal]
_OfFrames = Callable[[Frames, int], Refusal]

FAILED_RENDER = "failed_render"
"""The code for what is no fault of the person: an attempt that is refused so has failed."""

_DETAIL_LENGTH_MAX = 200


class Screening:
    """Gives the verdicts of a policy, one a check. Takes no time to speak of for a text."""

    def __init__(self, policy: Policy) -> None:
        """Make the checks ready.

        Raises:
            PolicyInvalid: the weights of a classifier cannot be used.
        """
        self._policy = policy
        self._of_text = [
            (check, text) for check in policy.checks if (text := _text_check(policy, check))
        ]
        self._of_frames = [
            (check, seen) for check in policy.checks if (seen := _frame_check(check))
        ]

    @classmethod
    def from_policy(cls, path: Path | None = None) -> "Screening":
        """Read a policy; None is the one that is shipped.

        Raises:
            PolicyInvalid: it cannot be used.
        """
        return cls(Policy.read(path or SHIPPED))

    @property
    def version(self) -> str:
        """Which policy this is: its own version, and a digest of all that it says."""
        return self._policy.version

    @property
    def reasons(self) -> Mapping[str, str]:
        """By code, what people are told of a refusal."""
        return self._policy.reasons

    def of_prompt(self, text: str) -> list[Verdict]:
        """Screen what somebody asks for. Any string has its verdicts."""
        return self._texts("prompt", text)

    def of_transcript(self, text: str) -> list[Verdict]:
        """Screen what is said in a clip."""
        return self._texts("transcript", text)

    def of_frames(self, frames: Frames, fps: int) -> list[Verdict]:
        """Screen what a clip shows: RGB of shape (frames, height, width, 3).

        This knows nothing of what the pictures mean; that takes a model.
        """
        return [
            self._verdict("frames", check.name, refusal(frames, fps))
            for check, refusal in self._of_frames
        ]

    def _texts(self, stage: Stage, text: str) -> list[Verdict]:
        folded = fold(text)
        return [
            self._verdict(stage, check.name, refusal(folded))
            for check, refusal in self._of_text
            if stage in check.stages
        ]

    def _verdict(self, stage: Stage, check: str, refusal: Refusal) -> Verdict:
        if refusal is None:
            return Verdict(stage, check, self.version, "allow")
        code, detail = refusal
        detail, words = detail[:_DETAIL_LENGTH_MAX], self._policy.reasons[code]
        return Verdict(stage, check, self.version, "refuse", code, detail, words)


def _text_check(policy: Policy, check: Check) -> _OfText | None:
    match check:
        case Words():
            return _words(policy, check)
        case Pairs():
            return _pairs(policy, check)
        case Classifier():
            return _classified(policy, check)
        case FailedRender() | Flashing():
            return None
        case _:
            assert_never(check)


def _frame_check(check: Check) -> _OfFrames | None:
    match check:
        case FailedRender():
            return _failed(check)
        case Flashing():
            return _flashing(check)
        case Words() | Pairs() | Classifier():
            return None
        case _:
            assert_never(check)


def _words(policy: Policy, check: Words) -> _OfText:
    lists = {
        code: Terms(policy.terms(listed), exceptions=listed.innocent)
        for code, listed in check.lists.items()
    }

    def refusal(folded: Folded) -> Refusal:
        for code, terms in lists.items():
            for hit in terms.hits(folded):
                return code, f"the term {hit.term!r}"
        return None

    return refusal


def _pairs(policy: Policy, check: Pairs) -> _OfText:
    first, second = (
        Terms(policy.terms(listed), exceptions=listed.innocent)
        for listed in (check.first, check.second)
    )
    ages_below = check.ages_below or 0

    def refusal(folded: Folded) -> Refusal:
        others = sorted((hit.place, hit.term) for hit in second.hits(folded))
        if not others:
            return None
        ones = [(hit.place, hit.term) for hit in first.hits(folded)]
        ones.extend((place, term) for place, term, age in _ages(folded) if age < ages_below)
        for here, one in ones:
            nearest = bisect_left(others, (here, ""))
            for there, other in others[max(0, nearest - 1) : nearest + 1]:
                if abs(here - there) <= check.within:
                    return check.code, f"the terms {one!r} and {other!r}"
        return None

    return refusal


def _ages(folded: Folded) -> Iterator[tuple[int, str, int]]:
    """Tell the ages that a text names: at which word, how, and how many years."""
    begins = [found.start() for found in WORD.finditer(folded.text)]
    for found in _AGE.finditer(folded.text):
        years = next(filter(None, found.groups()))
        age = int(years) if years.isdecimal() else _NUMBERS.index(years)
        yield bisect_left(begins, found.start()), found[0], age


def _classified(policy: Policy, check: Classifier) -> _OfText:
    try:
        model = Model.load(policy.files[check.weights])
    except WeightsInvalid as error:
        raise PolicyInvalid(f"The check {check.name!r} has {error}") from error
    unknown = set(check.thresholds) - set(model.classes)
    if unknown:
        raise PolicyInvalid(
            f"The check {check.name!r} has thresholds for {', '.join(sorted(unknown))}; its "
            f"weights know {', '.join(model.classes)}."
        )

    def refusal(folded: Folded) -> Refusal:
        probabilities = model.probabilities(folded.words)
        for code, threshold in check.thresholds.items():
            if probabilities[code] >= threshold:
                return code, f"a probability of {probabilities[code]:.3f}"
        return None

    return refusal


def _failed(check: FailedRender) -> _OfFrames:
    def refusal(frames: Frames, _: int) -> Refusal:
        reach = contrast(frames)
        if reach < check.contrast_min:
            return check.code, f"flat: brightness reaches over {reach:.1f}"
        moved = change(frames)
        if moved < check.change_min:
            return check.code, f"frozen: brightness changes by {moved:.2f}"
        return None

    return refusal


def _flashing(check: Flashing) -> _OfFrames:
    def refusal(frames: Frames, fps: int) -> Refusal:
        if not frames.size:
            return None
        seen = flashes(cells(frames), fps, area=check.area_max)
        if seen.general > check.flashes_max:
            return check.code, f"{seen.general:g} flashes within a second"
        if seen.red > check.flashes_max:
            return check.code, f"{seen.red:g} red flashes within a second"
        return None

    return refusal


def codes(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the codes of the refusals, in the order of the checks."""
    return [verdict.code for verdict in verdicts if verdict.verdict == "refuse"]


_NUMBERS = re.findall(
    "[a-z]+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
)

_UNITS = (
    "year years yr yrs yo ano anos an ans anno anni jahr jahre jahren jahrige jahriger jahriges "
    "jaar lat \u043b\u0435\u0442 \u0433\u043e\u0434\u0430 yas"
)

_YEARS = rf"([0-9]{{1,3}}|{'|'.join(_NUMBERS)})"
_UNIT = "|".join((*map(fold_letters, _UNITS.split()), r"y\W?o"))
_AGE = re.compile(
    rf"(?<![^\W_]){_YEARS}[\s\-]{{0,2}}(?:{_UNIT})(?![^\W_])"
    rf"|(?<![^\W_])(?:aged?|turned|edad|alter)\s(?:of\s)?{_YEARS}(?![^\W_])"
    "|([0-9]{1,3})\\s?[\u5c81\u6b73\uc138\uc0b4]"  # Chinese, Japanese and Korean years of age
)
