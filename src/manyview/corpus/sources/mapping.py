"""Mapping: which column says what, as a user writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from manyview.config import Config

__all__ = [
    "TEXTS_ONLY",
    "Column",
    "Constant",
    "ImageForm",
    "ImageMapping",
    "RowMapping",
    "ViewMapping",
    "with_fields",
]

ImageForm = Literal["auto", "path", "url", "bytes", "base64"]
TEXTS_ONLY = (
    "each row is a record of texts without an image, for the training split: glossaries, translations, taxonomies, "
    "pairs of queries; where another source has an image of its id, its texts join that image"
)
COLUMN = "name of the column; a field of a struct or of JSON text as column.field"


class Column(Config):
    """A value that each row brings itself."""

    column: str = Field(description=COLUMN, min_length=1)


class Constant(Config):
    """A value that holds for all rows."""

    constant: str = Field(description="the value")


class ViewMapping(Config):
    """Where the texts of one kind stand."""

    column: str = Field(description=f"{COLUMN}; texts, numbers or lists of these", min_length=1)
    split: str = Field(
        default="",
        description="separator of several texts in one cell; `list`: a list written out as JSON, Python, numpy or "
        "PostgreSQL does; empty: a cell is one text",
    )
    lang: str | Column = Field(default="", description="BCP-47 code of the texts, or {column: where it stands}")
    weight: Annotated[float, Field(ge=0)] | Column = Field(
        default=1.0, description="worth of the texts, at least 0, or {column: where it stands}; an empty cell is 1"
    )
    optional: bool = Field(default=False, description="whether the column may be missing")


class ImageMapping(Config):
    """Where the images stand, and in which form."""

    model_config = ConfigDict(populate_by_name=True)

    column: str = Field(description=f"{COLUMN}; paths, URLs, bytes, base64 or {{bytes, path}}", min_length=1)
    form: ImageForm = Field(default="auto", alias="as", description="what the column holds; auto: seen by each value")


def _view_mappings(given: Any) -> Any:
    """`name` stands for `{column: name}`, and either for a list of one."""
    several = given if isinstance(given, list | tuple) else [given]
    return [{"column": one} if isinstance(one, str) else one for one in several]


def _image_mapping(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


Views = dict[
    Annotated[str, Field(pattern=r"^[A-Za-z][\w.-]*$")],
    Annotated[tuple[ViewMapping, ...], BeforeValidator(_view_mappings), Field(min_length=1)],
]


class RowMapping(Config):
    """What the columns of a table, or the fields of a sidecar, say about an image.

    Without `views`, columns with well-known names are taken for what their names say.
    """

    id: str | None = Field(
        default=None, description="column of the image's id; default: the image's path or URL, else file and row"
    )
    prefix: str = Field(
        default="", description="put before each id and group, where two sources use one id for two images"
    )
    group: str | None = Field(default=None, description="column of what must not be split between train and test")
    image: Annotated[ImageMapping, BeforeValidator(_image_mapping)] | None = Field(
        default=None, description="column of the images, or {column: name, as: path}; without it, texts only"
    )
    license: str | Constant | None = Field(default=None, description="column of the license, or {constant: CC0-1.0}")
    attribution: str | Constant | None = Field(
        default=None, description="column of author or vendor, or {constant: name}"
    )
    views: Views | None = Field(default=None, description="for each kind of text, its column or columns")
    texts_only: bool = Field(default=False, description=TEXTS_ONLY)

    @model_validator(mode="after")
    def _texts_or_images(self) -> Self:
        if self.texts_only and self.image is not None:
            raise ValueError("texts_only makes records without an image: name no `image`, or leave texts_only out")
        return self

    def all_views(self) -> Iterator[tuple[str, ViewMapping]]:
        """Each kind with each of its columns, in the order given."""
        for kind, mappings in (self.views or {}).items():
            for view in mappings:
                yield kind, view

    def columns(self, *, optional: bool = True) -> list[str]:
        """The (dotted) names the mapping speaks of, each once; without the optional ones if asked."""
        image = None if self.image is None else self.image.column
        plain = [self.id, self.group, image, self.license, self.attribution]
        names = [name for name in plain if isinstance(name, str)]
        for _, view in self.all_views():
            if optional or not view.optional:
                names += [view.column, *(v.column for v in (view.lang, view.weight) if isinstance(v, Column))]
        return list(dict.fromkeys(names))

    def describe(self) -> str:
        """One line a reader can check: what is taken from where."""
        said = {name: getattr(self, name) for name in ("id", "image", "group", "license", "attribution")}
        parts = [f"{name} <- {_shown(value)}" for name, value in said.items() if value is not None]
        parts += [f"{kind} <- {_shown_view(view)}" for kind, view in self.all_views()]
        parts += ["records of texts only"] * self.texts_only
        return ", ".join(parts) or "nothing"


ConfigT = TypeVar("ConfigT", bound=Config)


def with_fields(config: ConfigT, changes: Mapping[str, Any]) -> ConfigT:
    """The config with some of its fields set anew, checked as if a user had written it."""
    fields = {name: getattr(config, name) for name in type(config).model_fields}
    return type(config).model_validate({**fields, **changes})


def _shown(value: str | Constant | ImageMapping) -> str:
    if isinstance(value, ImageMapping):
        return value.column if value.form == "auto" else f"{value.column} (as {value.form})"
    return value if isinstance(value, str) else repr(value.constant)


def _shown_view(view: ViewMapping) -> str:
    extra = ["lists written out" if view.split == "list" else f"split at {view.split!r}"] if view.split else []
    if view.lang:
        extra.append(f"lang {view.lang if isinstance(view.lang, str) else view.lang.column}")
    if view.weight != 1:
        extra.append(f"weight {view.weight.column if isinstance(view.weight, Column) else view.weight}")
    return f"{view.column} ({'; '.join(extra)})" if extra else view.column
