"""Evidence: docs/evidence.md and docs/evidence.svg, made whole of what recipes.py has judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from judged import Judged
from page import command, machine

from manyview.evaluate import NEW_WORDS, comparison, mean_comparison, records_tree, results_tree
from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.report.bars import BARS_STYLE, Bar, bar_chart

ASKED = f"tags{NEW_WORDS}"
BASELINE = "caption-sampling"
_DOCS = Path(__file__).parents[1] / "docs"
_STARTER = {"emoji": "emoji", "openclipart": "clip art"}
Key = tuple[str, int]


class About(Protocol):
    """What the page says of a contender."""

    @property
    def about(self) -> str: ...


@dataclass(frozen=True)
class Evidence:
    """`results` holds, by contender and length, what was measured of each seed."""

    contenders: Mapping[str, About]
    results: Mapping[Key, Sequence[Judged]]
    seeds: tuple[int, ...]

    def text(self) -> str:
        """The page, in Markdown."""
        return "\n".join((*_HEAD.format(machine=machine(), command=command()).splitlines(), "", *self._body()))

    def write(self) -> None:
        """Write the page and its figure into docs."""
        (_DOCS / "evidence.svg").write_text(self.figure(), encoding="utf-8")
        (_DOCS / "evidence.md").write_text(self.text(), encoding="utf-8")

    def figure(self) -> str:
        """Records found by new words, a group of bars for each source, as an SVG file."""
        bars = [
            Bar(title, _label(key), cell["r10"], cell["r10_low"], cell["r10_high"], key[0] in _HIGHLIGHTED)
            for source, title in _STARTER.items()
            for key, cell in self._cells("starter", source, ASKED, "record")
        ]
        label = "Records found by words they do not hold"
        return _standalone(str(bar_chart(bars, label=label, x_label="records found among the first ten, percent")))

    def _body(self) -> Iterator[str]:
        yield from _section("Contenders", ("name", "trains on", "seeds", "seconds a run"), self._contenders())
        yield from _section(
            "Records by new words",
            ("", "emoji", "clip art", "mean", f"against {BASELINE}", "95 %", "relative"),
            self._records(),
            _ABOUT_RECORDS,
        )
        yield "![Records found by words they do not hold](evidence.svg)"
        yield ""
        for source, title in _STARTER.items():
            yield from _section(
                f"Who finds them: {title}",
                ("", "record", "texts alone", "picture alone", "BM25", "BM25 + record", "MRR of record"),
                self._answers(source),
                _ABOUT_ANSWERS,
            )
        yield from _section(
            "Records by other kinds of text, and by all words",
            ("", *(f"{title}: {kind}" for title in _STARTER.values() for kind in _OTHER_KINDS)),
            self._kinds(),
        )
        yield from _section(
            "Sources never trained on, records by new words", ("", *self._unseen_sources(), "mean"), self._unseen()
        )
        yield from _section(
            "Pictures",
            ("", *(f"{title}: {kind}" for title in _STARTER.values() for kind in _PICTURE_KINDS)),
            self._pictures(),
            _ABOUT_PICTURES,
        )
        yield from _section(
            "What titles are tied to",
            ("", "of a held-out title's own tags, in other words, among its ten nearest"),
            [(_label(key), _figure(_mean([one.tied for one in of]))) for key, of in self.results.items()],
        )

    def _contenders(self) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            yield (_label(key), self.contenders[key[0]].about, str(len(of)), f"{_mean([o.seconds for o in of]):.0f}")

    def _records(self) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            tree = records_tree([one.records["starter"] for one in of])
            recalls = [tree[source][ASKED]["record"]["r10"] for source in _STARTER]
            yield (_label(key), *map(_figure, (*recalls, _mean(recalls))), *self._against_baseline(key, "starter"))

    def _against_baseline(self, key: Key, corpus: str) -> tuple[str, str, str]:
        """Difference to the baseline of the same length in the mean of the sources, its interval, and relative."""
        baseline = self.results.get((BASELINE, key[1]), self.results.get((BASELINE, 1)))
        if key[0] == BASELINE or baseline is None:
            return ("", "", "")
        sides = [[one.records[corpus] for one in of] for of in (baseline, self.results[key])]
        rows = [*mean_comparison(*sides), *comparison(*sides)]
        row = next(row for row in rows if (row["query_kind"], row["direction"]) == (ASKED, "record"))
        return _difference(row)

    def _answers(self, source: str) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            cells = records_tree([one.records["starter"] for one in of])[source][ASKED]
            recalls = [cells[answer]["r10"] for answer in ("record", "text", "image", "bm25", "bm25+record")]
            yield (_label(key), *map(_figure, recalls), f"{cells['record']['mrr']:.3f}")

    def _kinds(self) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            tree = records_tree([one.records["starter"] for one in of])
            cells = [tree[source].get(kind, {}).get("record") for source in _STARTER for kind in _OTHER_KINDS]
            yield (_label(key), *("" if cell is None else _figure(cell["r10"]) for cell in cells))

    def _unseen_sources(self) -> list[str]:
        first = next(iter(self.results.values()))[0]
        return [
            source
            for corpus, records in first.records.items()
            if corpus != "starter"
            for source, kinds in records.to_dict().items()
            if ASKED in kinds
        ]

    def _unseen(self) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            recalls = [
                kinds[ASKED]["record"]["r10"]
                for corpus in of[0].records
                if corpus != "starter"
                for kinds in records_tree([one.records[corpus] for one in of]).values()
                if ASKED in kinds
            ]
            if recalls:
                yield (_label(key), *map(_figure, recalls), _figure(_mean(recalls)))

    def _pictures(self) -> Iterator[Sequence[str]]:
        for key, of in self.results.items():
            tree = results_tree([one.pictures for one in of])
            yield (
                _label(key),
                *(_figure(tree[source][kind]["t2i"]["r10"]) for source in _STARTER for kind in _PICTURE_KINDS),
            )

    def _cells(self, corpus: str, source: str, kind: str, answer: str) -> Iterator[tuple[Key, Mapping[str, float]]]:
        for key, of in self.results.items():
            yield key, records_tree([one.records[corpus] for one in of])[source][kind][answer]  # type: ignore[misc]


_OTHER_KINDS = ("tags", "title", f"title{NEW_WORDS}", f"description{NEW_WORDS}")
_PICTURE_KINDS = ("title", "tags", "title+tags")
_HIGHLIGHTED = {"many-view", "many-view-glossary"}
_HEAD = """# Evidence

What many views bring, measured: every recipe on the same pictures of the starter corpus, with the same small model and
as many steps (`adapt` has its own), judged on concepts that none has seen. Figures are R@10 in percent, means over the
seeds; intervals are 95 % of a paired bootstrap over the queries, those of one concept resampled together. This page is
written whole by

```bash
{command}
```

which trains what is missing, judges it and writes the page. `5×` is five times the demo's training. The sources never
trained on are made by `corpus-recipes/unseen.py` and `corpus-recipes/tuxpaint.py`.

{machine}
"""
_ABOUT_RECORDS = """A record is its picture and its texts. Its tags are hidden from it, and those that share no word
with what is left ask for it among the held-out records of its source. A search by words (BM25) finds none of them."""
_ABOUT_ANSWERS = """The same queries, answered by the record's vector, by parts of it, by the words of its texts (BM25),
and by BM25 and the record's vector together (reciprocal rank fusion)."""
_ABOUT_PICTURES = """Text → image, one picture a concept: the gallery of pictures alone that image-text models are
usually judged on."""


def _standalone(chart: str) -> str:
    """A chart of the report as a file of its own, with its style and room for its labels."""
    inner = chart[chart.index("<svg") : chart.rindex("</svg>")]
    height = int(inner.split('height="')[1].split('"')[0])
    style = f"svg {{ {_COLORS} font-family: system-ui, sans-serif; }} .tick, .axis {{ font-size: 12px; fill: #666; }} "
    style += ".grid { stroke: #ddd; }" + BARS_STYLE
    inner = inner.replace("<svg ", '<svg x="190" y="8" overflow="visible" ', 1).replace(
        'width="100%"', 'width="620"', 1
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height + 16}">\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<g class="bars">{inner}</svg></g>\n</svg>\n'
    )


_COLORS = "--ink: #1b1b1f; --other: #8a8f98; --accent: #2456c4;"


def _section(
    title: str, columns: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]], about: str = ""
) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    if about:
        yield from (*about.splitlines(), "")
    yield f"| {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * (len(columns) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _label(key: Key) -> str:
    name, length = key
    return name if length == 1 else f"{name}, {length}×"


def _difference(row: ComparisonRow) -> tuple[str, str, str]:
    relative = "" if row["relative"] is None else f"{row['relative']:+.0f} %"
    return f"{row['difference']:+.1f}", f"{row['low']:+.1f} to {row['high']:+.1f}", relative


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _figure(number: float) -> str:
    return f"{number:.1f}"
