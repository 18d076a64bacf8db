"""A tagger that can be reckoned with: it says how bright an image is, and remembers what it was shown."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from manyview.tags import plugins
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits


class Levels:
    """Findings are (the tens of the mean level, 0.9) of the whole and ("half", 0.6) of the left half."""

    name, version, habits = "levels", "levels-1", Habits(threshold=0.5, lang="en")

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.shown: list[int] = []
        self._before = before

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        self._before()
        means = [round(float(np.asarray(image).mean())) for image in images]
        self.shown += means
        return [
            [Detection("half", 0.6, 0.5, (0.0, 0.0, 0.5, 1.0)), Detection(f"level {mean // 10}", 0.9)] for mean in means
        ]


@contextmanager
def plugged(tagger: Levels) -> Iterator[TaggerConfig]:
    """The tagger among the built-in ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(plugins.BUILT_IN, "levels", lambda config, device: tagger)  # type: ignore[arg-type]
        yield TaggerConfig(name="levels")


def flat(level: int, size: tuple[int, int] = (32, 32), format: str = "PNG") -> bytes:
    """An encoded image of one level."""
    buffer = BytesIO()
    Image.new("RGB", size, (level,) * 3).save(buffer, format)
    return buffer.getvalue()
