"""Claim: a folder becomes the place of a build, or the build says why it cannot."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from manyview.corpus.builder.landing import remove
from manyview.corpus.manifest import MANIFEST, UNFINISHED
from manyview.errors import UsageError, require_utf8

if TYPE_CHECKING:
    from manyview.corpus.location import Location

__all__ = ["WORK", "Mode", "check_not_within", "claim", "clear"]

WORK = ".build"
Mode = Literal["new", "append", "overwrite"]
_OURS = {"data", "provenance", "doctor.html", MANIFEST, UNFINISHED, WORK}


def claim(out: Location, mode: Mode, work: Path | None) -> Path:
    """The folder for what is under way; `out` is ours from now on. Raises UsageError.

    An interrupted build is continued by the same call; what is finished is only touched by "append" or "overwrite".
    """
    require_utf8(out)
    names = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    finished = MANIFEST in names
    if strangers := sorted(names - _OURS):
        raise UsageError(f"a corpus is written to an empty folder, got {out} with {strangers[0]} in it")
    if finished and mode == "new":
        raise UsageError(f"{out} is a finished corpus: give another folder, --append or --overwrite")
    if mode == "append" and not finished:
        raise UsageError(f"--append adds to a finished corpus, got {out}")
    if work is None:
        if not isinstance(out, Path):
            raise UsageError(f"a build of {out} needs --work, a folder on this machine or one that all machines share")
        work = out.absolute() / WORK
    else:
        work = (
            work.absolute() / f"manyview-{blake2b(str(out).encode(), digest_size=8).hexdigest()}"
        )  # all goes in the end
    out.mkdir(parents=True, exist_ok=True)
    if not finished:
        (out / UNFINISHED).touch()
    work.mkdir(parents=True, exist_ok=True)
    return work


def clear(out: Location) -> None:
    """Make room for another corpus in a finished one's place."""
    (out / UNFINISHED).touch()
    remove(out / MANIFEST)  # first: half a corpus must not look like one
    for name in ("data", "provenance"):
        remove(out / name)


def check_not_within(paths: Iterable[str], out: Location) -> None:
    """Raise UsageError for a source that would be gone before it is read."""
    for path in paths:
        if f"{_whole(path)}/".startswith(f"{_whole(str(out))}/"):
            raise UsageError(f"{path} is a source and lies in {out}, which --overwrite removes: give another --out")


def _whole(path: str) -> str:
    return path.rstrip("/") if "://" in path else str(Path(path).resolve())
