"""The objectives with a name, as tuples of pairs over views of fixed names."""

from manyview.objective.pair import Pair

__all__ = ["PRESETS", "both_ways"]


def both_ways(a: str, b: str, weight: float = 1.0) -> tuple[Pair, Pair]:
    """A pair and its reverse, `weight` each."""
    return Pair(a, b, weight), Pair(b, a, weight)


_ERNIE_VIL_2 = (
    Pair("image", "image.2"),
    Pair("caption", "tags"),
    Pair("image", "caption"),
    Pair("caption", "image"),
)

PRESETS: dict[str, tuple[Pair, ...]] = {
    # Radford et al. 2021 (arXiv 2103.00020): the mean of both directions.
    "clip": both_ways("image", "caption", 0.5),
    # One text at random for each slot, image-text only: what trainers with "several captions" do.
    "caption-sampling": (*both_ways("image", "text", 0.5), *both_ways("image", "text.2", 0.5)),
    # Mu et al. 2021 (arXiv 2112.12750): CLIP and, weight 1, InfoNCE between two more augmentations.
    "slip": (*both_ways("image", "caption", 0.5), *both_ways("image.2", "image.3", 0.5)),
    # Shan et al. 2022 (arXiv 2209.15270), eq. (1-1): tags reach the image only through the caption.
    "ernie-vil-2": _ERNIE_VIL_2,
    # The pairs that the official README lists besides: image against object tags.
    "ernie-vil-2-objects": (*_ERNIE_VIL_2, *both_ways("image", "tags")),
    # Zhu et al. 2024 (arXiv 2404.08535), each field of the item a pair of its own: the query, whose rows have weights.
    "gcl": (*both_ways("query", "image", 0.5), *both_ways("query", "title", 0.5)),
    # Ours: every text with the image, and the texts with each other.
    "many-view": (
        *both_ways("image", "title", 0.5),
        *both_ways("image", "tags", 0.5),
        *both_ways("title", "tags", 0.5),
    ),
}
