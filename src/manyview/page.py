"""Page: HTML files that load nothing, filled from templates with escaped data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

__all__ = ["page_environment"]


def page_environment(package: str, filters: Mapping[str, Any]) -> Environment:
    """The templates of a package, and `page.css`, the style that long pages share; what is not defined raises."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("manyview")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment
