"""Objects as files, for as long as somebody reads them who needs files."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from myriorama.store.objects import ObjectNotFound, Objects


@contextmanager
def fetched(
    objects: Objects, keys: Sequence[str], within: Path | None = None
) -> Generator[Sequence[Path]]:
    """Fetch objects into files, in their order.

    Raises:
        ObjectNotFound: one of them is gone, or, if its key is empty, was never kept.
    """
    if not all(keys):
        raise ObjectNotFound("of what this is made of, no master was kept")
    with TemporaryDirectory(prefix="myriorama-", dir=within) as folder:
        paths = [Path(folder) / f"{index}.mp4" for index in range(len(keys))]
        for key, path in zip(keys, paths, strict=True):
            with path.open("wb") as file:
                for part in objects.stream(key):
                    file.write(part)
        yield paths
