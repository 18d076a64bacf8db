"""Checks of images: what cannot be decoded, says little, or is there already."""

from __future__ import annotations

from collections.abc import Iterator

from manyview.corpus.doctor.measures import Examination, Finding
from manyview.corpus.doctor.spoken import percent

__all__ = ["IMAGE_CHECKS"]

Found = Iterator[Finding]


def _images(e: Examination) -> Found:
    images, limits = e.images, e.limits
    sampled = images.sampled or 1
    if images.broken:
        share = images.broken_count / sampled
        reasons = ", ".join(f"{reason.removeprefix('image: ')} {n:,}" for reason, n in images.broken)
        yield Finding(
            "fail" if share > limits.max_broken else "warn",
            "undecodable images",
            f"{images.broken_count:,} of {images.sampled:,} sampled images ({percent(share)}) cannot be decoded: "
            f"{reasons}.",
            "Build again from the originals, which leaves them out; training skips them one by one and stops "
            "beyond max_bad_share.",
        )
    if images.small > limits.max_small * sampled:
        yield Finding(
            "warn",
            "small images",
            f"{percent(images.small / sampled)} of the images have a side below {limits.min_side_px} pixels.",
            "Fetch larger versions, raise clean.images.min_side_px, or train with model.image.size no larger.",
        )
    if images.strips > limits.max_strips * sampled:
        yield Finding(
            "warn",
            "strips",
            f"{percent(images.strips / sampled)} of the images are more than {limits.max_aspect:g} times as long as "
            "wide.",
            "Banners and rulers seldom show what is said of them: drop them by aspect ratio in the build.",
        )


def _repeated_images(e: Examination) -> Found:
    share = e.repeats.images / (e.records or 1)
    if share > e.limits.max_repeated_images:
        yield Finding(
            "warn",
            "repeated images",
            f"{e.repeats.images:,} records ({percent(share)}) show the very bytes of an earlier one.",
            "Merge rows about one image into one record with several texts: build with images matched by content.",
        )
    checked = e.repeats.near_checked
    if checked and e.repeats.near > e.limits.max_near_duplicates * checked:
        yield Finding(
            "warn",
            "near-duplicates",
            f"{e.repeats.near:,} of {checked:,} sampled images ({percent(e.repeats.near / checked)}) look like an "
            "earlier one of the sample; over the whole corpus it is more.",
            "Build with clean.near_duplicates.action=merge, or group: all on one side of the split.",
        )


IMAGE_CHECKS = (_images, _repeated_images)
