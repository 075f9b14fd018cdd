"""Edits that must not overwrite what somebody else wrote meanwhile: ETag and If-Match."""

from myriorama.api.problems import PreconditionFailed


def etag(version: int) -> str:
    """Return the strong validator of an aggregate at a version (RFC 9110, section 8.8.3)."""
    return f'"v{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Let an edit pass if it names the present version, any (`*`), or none at all.

    Raises:
        PreconditionFailed: it names another version.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if etag(version) not in {tag.strip() for tag in if_match.split(",")}:
        raise PreconditionFailed(f"It has changed: the present ETag is {etag(version)}.")
