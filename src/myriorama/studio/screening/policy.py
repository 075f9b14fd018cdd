"""What the house screens for: a file of TOML that says every check, its lists and thresholds.

Who changes it changes its `version`; a digest of all that it names is put behind that, so that no
verdict can claim a version that it was not given under.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from myriorama.studio.screening.folding import BEGINNING, fold_letters

SHIPPED = Path(__file__).parent / "policy.toml"

Stage = Literal["prompt", "frames", "transcript"]
Name = Annotated[str, Meta(pattern="^[a-z][a-z_]{0,39}$")]
Term = Annotated[str, Meta(min_length=1, max_length=100)]
Share = Annotated[float, Meta(gt=0, lt=1)]
TextStages = Annotated[tuple[Literal["prompt", "transcript"], ...], Meta(min_length=1)]


class PolicyInvalid(ValueError):
    """The policy cannot be used; the message says which file, where in it, and why."""


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people are told: that something is not made here, and never which word it was."""

    words: Annotated[str, Meta(min_length=1, max_length=500)]


class WordList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that refuse a text with one code, and phrases in which they are innocent.

    `file` has more terms, one a line.
    """

    terms: tuple[Term, ...] = ()
    file: str | None = None
    innocent: tuple[Term, ...] = ()


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="words"):
    """Refuses a text that has a term of one of the lists, which are told by their code."""

    name: Name
    stages: TextStages
    lists: Annotated[dict[Name, WordList], Meta(min_length=1)]


class Pairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pairs"):
    """Refuses a text that has a term of either list, at most `within` words from one another.

    With `ages_below`, an age of fewer years counts as a term of the first list.
    """

    name: Name
    stages: TextStages
    code: Name
    first: WordList
    second: WordList
    within: Annotated[int, Meta(ge=1, le=2000)]
    ages_below: Annotated[int, Meta(ge=1, le=150)] | None = None


class Classifier(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="classifier"
):
    """Refuses a text that the classifier takes for one of the codes, from a probability on."""

    name: Name
    stages: TextStages
    weights: str
    thresholds: Annotated[dict[Name, Share], Meta(min_length=1)]


class FailedRender(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="failed_render"
):
    """Refuses a clip that shows nothing: flat pictures, or one picture standing still.

    Both are differences of brightness between 0 and 255: between the parts of a picture, and
    between one picture and the others.
    """

    name: Name
    stages: tuple[Literal["frames"]]
    code: Name
    contrast_min: Annotated[float, Meta(ge=0, le=255)]
    change_min: Annotated[float, Meta(ge=0, le=255)]


class Flashing(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="flashing"
):
    """Refuses a clip that flashes more often, within a second, over more of the picture."""

    name: Name
    stages: tuple[Literal["frames"]]
    code: Name
    flashes_max: Annotated[int, Meta(ge=1, le=30)]
    area_max: Share


Check = Words | Pairs | Classifier | FailedRender | Flashing


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as it is written."""

    version: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.-]{1,40}$")]
    reasons: dict[Name, Reason]
    checks: Annotated[tuple[Check, ...], Meta(min_length=1)]


@dataclass(frozen=True)
class Policy:
    """A policy that can be used: every list has been read, every code has words for people."""

    version: str
    reasons: Mapping[str, str]
    checks: tuple[Check, ...]
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """Read a policy and all that it names, which lies in the same folder.

        Raises:
            PolicyInvalid: it cannot be used.
        """
        written, content = _read(path)
        files = {name: _content(path, name) for name in _named(written.checks)}
        digest = sha256(content)
        for name, held in sorted(files.items()):
            digest.update(name.encode() + b"\0" + held)
        policy = cls(
            version=f"{written.version}+{digest.hexdigest()[:8]}",
            reasons={code: reason.words for code, reason in written.reasons.items()},
            checks=written.checks,
            files=files,
        )
        _require_sound(path, policy)
        return policy

    def terms(self, listed: WordList) -> list[str]:
        """Return all the terms of a list; lines of its file that begin with # are remarks."""
        lines = self.files[listed.file].decode().splitlines() if listed.file else []
        written = [line.strip() for line in lines]
        return [*listed.terms, *(line for line in written if line and not line.startswith("#"))]


def _read(path: Path) -> tuple[_Written, bytes]:
    try:
        content = path.read_bytes()
        document: dict[str, Any] = tomllib.loads(content.decode())
        return msgspec.convert(document, _Written), content
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"The policy {path} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PolicyInvalid(f"The policy {path} is not right: {error}") from error


def _named(checks: Iterable[Check]) -> set[str]:
    lists = [listed for check in checks for listed in lists_of(check)]
    weights = {check.weights for check in checks if isinstance(check, Classifier)}
    return weights | {listed.file for listed in lists if listed.file}


def lists_of(check: Check) -> Iterable[WordList]:
    """Return the lists of words that a check has."""
    match check:
        case Words():
            return check.lists.values()
        case Pairs():
            return (check.first, check.second)
        case _:
            return ()


def codes_of(check: Check) -> Iterable[str]:
    """Return the codes with which a check can refuse."""
    match check:
        case Words():
            return check.lists
        case Classifier():
            return check.thresholds
        case _:
            return (check.code,)


def _content(path: Path, name: str) -> bytes:
    if Path(name).name != name:
        raise PolicyInvalid(f"The policy {path} names {name!r}: name a file of its own folder.")
    try:
        content = (path.parent / name).read_bytes()
        if not name.endswith(".npz"):
            content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"The policy {path} names {name!r}, which cannot be read.") from error
    return content


def _require_sound(path: Path, policy: Policy) -> None:
    names = [check.name for check in policy.checks]
    if len(set(names)) < len(names):
        raise PolicyInvalid(f"The policy {path} has two checks of one name.")
    for check in policy.checks:
        for code in codes_of(check):
            if code not in policy.reasons:
                raise PolicyInvalid(
                    f"The policy {path} refuses as {code!r} (check {check.name!r}) without telling "
                    f"people why: add [reasons.{code}] with words."
                )
        for listed in lists_of(check):
            if not policy.terms(listed):
                raise PolicyInvalid(f"The policy {path} has an empty list in {check.name!r}.")
            for term in (*policy.terms(listed), *listed.innocent):
                _require_term(path, check.name, term)


def _require_term(path: Path, check: str, term: str) -> None:
    if not any(character.isalnum() for character in fold_letters(term)):
        raise PolicyInvalid(f"The policy {path}, check {check!r}: {term!r} has no letter.")
    for word in term.split():
        if "*" in word[:-1] or (word.endswith("*") and len(word) <= BEGINNING):
            raise PolicyInvalid(
                f"The policy {path}, check {check!r}, term {term!r}: a * stands at the end of "
                f"{BEGINNING} or more letters."
            )
