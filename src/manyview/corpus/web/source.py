"""Source: crawl archives and folders of pages, read as the two tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from manyview.config import Config
from manyview.corpus.location import locate
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.files import File, OneFile, find_files, is_remote
from manyview.corpus.web.address import absolute
from manyview.corpus.web.charset import page_text
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.folder import FolderImages, saved_from
from manyview.corpus.web.junk import junk_reason
from manyview.corpus.web.page import read_page
from manyview.corpus.web.rows import Found, batches
from manyview.corpus.web.warc import Response, responses
from manyview.errors import UsageError

__all__ = ["PagesConfig", "PagesPart", "PagesSource", "WarcConfig", "WarcPart", "WarcSource"]

_PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".shtml")
_WARC_SUFFIXES = (".warc", ".lz4")  # behind which .gz or .zst may stand
_FILES_A_PART = 200
NOT_IN_FILE = "archive: revisit of what is not in its file"
_GROUP = "what must not be split between train and test: all images of a page, or each image by itself"

Group = Literal["page", "image"]


class WarcConfig(Config):
    """Crawl archives: images named by URL, or held by the archives themselves."""

    type: Literal["warc"] = "warc"
    path: str = Field(description="a .warc or .warc.gz file, a folder of them or a glob; scheme:// is allowed")
    rules: WebRules = Field(default_factory=WebRules, description="which pages, images and texts are worth keeping")
    group: Group = Field("page", description=_GROUP)
    archived_images: bool = Field(True, description="take the bytes of images that the archives hold")
    max_image_bytes: int = Field(32 << 20, ge=1, description="longer images in the archives are left out")

    def describe(self) -> str:
        """One line a reader can check."""
        return "images of archived pages, and what the pages say about them"


class PagesConfig(Config):
    """A folder of HTML files, with images beside the pages or elsewhere."""

    type: Literal["pages"] = "pages"
    path: str = Field(description="a folder of .html files, or one such file; scheme:// is allowed")
    rules: WebRules = Field(default_factory=WebRules, description="which pages, images and texts are worth keeping")
    group: Group = Field("page", description=_GROUP)
    base_url: str = Field("", description="where the folder is served: images that are not in it are looked for there")

    def describe(self) -> str:
        """One line a reader can check."""
        return "images of pages, and what the pages say about them"


@dataclass(frozen=True)
class WarcPart(OneFile):
    """One archive."""

    file: File
    config: WarcConfig

    def read(self) -> Iterator[Batch]:
        """Pages and images in the order of the archive."""
        largest = self.config.max_image_bytes if self.config.archived_images else 0
        found = responses(self.file.path, self.config.rules.max_page_bytes, largest)
        seen = set[str]()
        return batches((self._found(response, seen) for response in found), self.config.rules)

    def _found(self, response: Response, seen: set[str]) -> Found:
        origin = f"{self.name}:{response.place}"
        if response.target:
            url, target = absolute("", response.url), absolute("", response.target)
            missing = "" if response.target in seen else NOT_IN_FILE
            return Found(origin, skipped=response.skipped or missing, links=((url, target),) if url != target else ())
        if response.skipped:
            return Found(origin, skipped=response.skipped)
        seen.add(response.url)
        if response.kind == "image":
            name = absolute("", response.url)
            reason = junk_reason(name, {}, self.config.rules) if name else "image: no usable address"
            return Found(origin, skipped=reason) if reason else Found(origin, image=(name, response.body))
        markup, held = page_text(response.body, response.charset), self.config.archived_images
        page = read_page(markup, response.url, self.config.rules, alternatives=held)
        return Found(origin, page, group=response.url if self.config.group == "page" else None)


@dataclass(frozen=True)
class PagesPart:
    """Some HTML files of a folder."""

    files: tuple[File, ...]
    root: str
    config: PagesConfig

    @property
    def name(self) -> str:
        """The first file and how many there are."""
        return f"{self.files[0].name}+{len(self.files) - 1}"

    @property
    def version(self) -> str:
        """Of all the files."""
        known = "\n".join(f"{file.name} {file.version}" for file in self.files)
        return hashlib.blake2b(known.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def read(self) -> Iterator[Batch]:
        """The pages in the order of their names."""
        return batches(map(self._found, self.files), self.config.rules)

    def _found(self, file: File) -> Found:
        origin = file.name.encode("utf-8", "replace").decode()
        if file.size > self.config.rules.max_page_bytes:
            return Found(origin, skipped="page: too many bytes")
        try:
            data = locate(file.path).read_bytes()
        except OSError:
            return Found(origin, skipped="page: cannot be read")
        markup = page_text(data)
        images = FolderImages(self.root, file.name, self.config.base_url)
        page = read_page(markup, saved_from(markup), self.config.rules, images)
        return Found(origin, page, origin if self.config.group == "page" else None, images.paths)


@dataclass(frozen=True)
class WarcSource:
    """The archives of a config."""

    config: WarcConfig

    def completed(self) -> WarcConfig:
        """The config, which leaves nothing open."""
        return self.config

    def parts(self) -> Sequence[WarcPart]:
        """A part for each archive. Raises UsageError when there is none."""
        return [WarcPart(file, self.config) for file in find_files(self.config.path, _WARC_SUFFIXES)]


@dataclass(frozen=True)
class PagesSource:
    """The pages of a config."""

    config: PagesConfig

    def completed(self) -> PagesConfig:
        """The config, which leaves nothing open."""
        return self.config

    def parts(self) -> Sequence[PagesPart]:
        """Some hundred pages a part. Raises UsageError when there is none."""
        place = locate(self.config.path)
        if not place.exists():
            raise UsageError(f"{self.config.path} does not exist: give a folder of HTML files, or one such file")
        root = str(place if place.is_dir() else place.parent)
        found = find_files(self.config.path, _PAGE_SUFFIXES)
        files = [file for file in found if _lies_below(root, file)]
        if not files:
            raise UsageError(
                f"all pages of {self.config.path} are links that lead out of it: give the folder they are in"
            )
        starts = range(0, len(files), _FILES_A_PART)
        return [PagesPart(tuple(files[of : of + _FILES_A_PART]), root, self.config) for of in starts]


def _lies_below(root: str, file: File) -> bool:
    """Not a link that leads out of the folder: what lies elsewhere is nobody's page of it."""
    return is_remote(root) or Path(file.path).resolve().is_relative_to(Path(root).resolve())
