"""Describe: what the manifest and the README of a corpus say about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assemble import Item
from packages import Package

from manyview.corpus import Record


def describe(
    items: Sequence[Item],
    splits: Mapping[str, Sequence[Record]],
    dropped: Mapping[str, Counter[str]],
    packages: Sequence[Package],
) -> dict[str, Any]:
    """Images, concepts, components, languages, licenses, packages and what was left out, by source."""
    sources = sorted({item.record.source for item in items})
    return {
        "sources": {source: _source(items, source) for source in sources},
        "splits": {
            split: {source: len([record for record in records if record.source == source]) for source in sources}
            for split, records in splits.items()
        },
        "images": len(items),
        "concepts": len({item.record.group for item in items}),
        "components": len({item.component for item in items}),
        "largest_component": max(Counter(item.component for item in items).values()),
        "packages": packages_about(packages),
        "dropped": {source: dict(sorted(reasons.items())) for source, reasons in dropped.items()},
    }


def packages_about(packages: Sequence[Package]) -> list[dict[str, str]]:
    """Where each package comes from, and what it must be."""
    return [
        {"registry": package.registry, "name": package.name, "version": package.version, "sha256": package.sha256}
        for package in packages
    ]


def texts_about(records: Sequence[Record]) -> dict[str, Any]:
    """Records of one source: how many, their texts by kind, the languages of their titles, their licenses."""
    texts = [text for record in records for text in record.texts]
    return {
        "records": len(records),
        "titles": len({text.text for text in texts if text.kind == "title"}),
        "texts": dict(sorted(Counter(text.kind for text in texts).items())),
        "languages": dict(sorted(Counter(text.lang for text in texts if text.kind == "title").items())),
        "licenses": dict(sorted(Counter(record.license for record in records).items())),
    }


def _source(items: Sequence[Item], source: str) -> dict[str, Any]:
    records = [item.record for item in items if item.record.source == source]
    texts = [text for record in records for text in record.texts]
    return {
        "images": len(records),
        "concepts": len({record.group for record in records}),
        "titles": len({text.text for text in texts if text.kind == "title"}),
        "texts": dict(sorted(Counter(text.kind for text in texts).items())),
        "languages": dict(sorted(Counter(text.lang for text in texts if text.kind == "title").items())),
        "licenses": dict(sorted(Counter(record.license for record in records).items())),
        "authors": len({record.attribution for record in records}),
    }


def readme(title: str, recipe: str, about: Mapping[str, Any]) -> str:
    """A short text for people who open the folder."""
    lines = [
        f"# {title}",
        "",
        f"{about['images']:,} images of {about['image_side_px']} x {about['image_side_px']} pixels "
        f"and what is said about them; {about['concepts']:,} concepts. Written by `{recipe}`: do not edit.",
        "",
        "| source | images | concepts | distinct titles | languages | licenses |",
        "|---|---|---|---|---|---|",
    ]
    for name, source in about["sources"].items():
        licenses = ", ".join(f"{license} ({count:,})" for license, count in source["licenses"].items())
        lines.append(
            f"| {name} | {source['images']:,} | {source['concepts']:,} | {source['titles']:,} "
            f"| {len(source['languages'])} | {licenses} |"
        )
    lines += [
        "",
        "| split | " + " | ".join(about["sources"]) + " |",
        "|---|" + "---|" * len(about["sources"]),
    ]
    for split, counts in about["splits"].items():
        lines.append(f"| {split} | " + " | ".join(f"{count:,}" for count in counts.values()) + " |")
    lines += [
        "",
        "Splits are cut between connected components: no two splits share a concept, a title, exact",
        "pixels or a near-identical drawing. Each record carries its own `license` and `attribution`;",
        "copyright lines and license texts stand in `NOTICE`. What was left out is counted, by reason,",
        "in `manifest.json`.",
        "",
    ]
    return "\n".join(lines)
