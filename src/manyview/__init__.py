"""Multi-view image-text contrastive training: an image and everything said about it become views.

Importing the package loads no heavy library; `DualEncoder` is fetched when first asked for (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manyview.model import DualEncoder

__all__ = ["DualEncoder", "__version__"]

__version__ = "0.1.0"

_HOMES = {"DualEncoder": "manyview.model"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'manyview' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
