"""The page: everything the doctor found, with charts and pictures, in one HTML file that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from manyview.corpus.doctor.charts import TONES, Line, Range, combination_dots, range_chart, share_chart
from manyview.corpus.doctor.findings import verdict
from manyview.corpus.doctor.measures import Examination, KindMeasures
from manyview.corpus.doctor.spoken import percent, readable_bytes
from manyview.corpus.doctor.tally import OTHERS
from manyview.page import page_environment

__all__ = ["render_page"]

UNKNOWN = "not named"
_LANGUAGES_SHOWN = 12
_SEVERITY_WORDS = {"fail": "must change", "warn": "look at this", "note": "to know"}


def render_page(examination: Examination, pictures: Mapping[int, str]) -> str:
    """`pictures` has the data: address of a row's image; rows without one show a blank."""
    filters: dict[str, Any] = {
        "count": lambda value: f"{value:,}",
        "figure": lambda value: "–" if value is None else f"{value:,.5g}",
        "percent": percent,
        "size": readable_bytes,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "shortened": lambda text: text if len(text) <= 80 else text[:79] + "…",
        "kind": lambda name: name or "(no kind)",
    }
    return (
        page_environment("manyview.corpus.doctor", filters)
        .get_template("doctor.html")
        .render(
            e=examination,
            verdict=verdict(examination),
            state="fail" if examination.failed else _state(examination),
            words=_SEVERITY_WORDS,
            pictures=pictures,
            combinations=_combinations(examination),
            lengths=_length_chart(examination),
            languages=_languages(examination),
            false_negatives=_false_negative_chart(examination),
            tones=TONES,
        )
    )


def _state(examination: Examination) -> str:
    return "warn" if any(finding.severity == "warn" for finding in examination.findings) else "good"


@dataclass(frozen=True)
class _Together:
    dots: Markup
    names: str
    records: int
    share: float
    length: float


def _combinations(examination: Examination) -> list[_Together]:
    """A row a combination; bars are relative to the longest."""
    names = [kind.name for kind in examination.kinds]
    longest = max((combination.records for combination in examination.combinations), default=0) or 1
    return [
        _Together(
            combination_dots([name in combination.kinds for name in names]),
            ", ".join(name for name in names if name in combination.kinds) or "no text",
            combination.records,
            combination.records / (examination.records or 1),
            combination.records / longest,
        )
        for combination in examination.combinations
    ]


def _length_chart(examination: Examination) -> Markup | None:
    rows = [Range(kind.name, kind.tokens) for kind in examination.kinds if kind.tokens]
    if not rows:
        return None
    return range_chart(
        rows,
        limits=sorted(examination.limits.context_lengths),
        label="Tokens of the texts of each kind: median, quartiles, 5 to 95 percent",
        x_label="tokens",
    )


@dataclass(frozen=True)
class _Part:
    name: str
    share: float
    tone: str


def _languages(examination: Examination) -> list[tuple[KindMeasures, list[_Part]]]:
    """The languages of each kind; a language has the same color in all."""
    totals: dict[str, int] = {}
    for kind in examination.kinds:
        for lang, texts in kind.languages:
            totals[lang] = totals.get(lang, 0) + texts
    known = [lang for lang in sorted(totals, key=lambda lang: (-totals[lang], lang)) if lang not in ("", OTHERS)]
    tones = {
        lang: f"tone-{place % TONES}" + " pale" * (place >= TONES) for place, lang in enumerate(known[: 2 * TONES])
    }
    return [(kind, _parts(kind, tones)) for kind in examination.kinds if kind.texts]


def _parts(kind: KindMeasures, tones: Mapping[str, str]) -> list[_Part]:
    shown = [(lang, n) for lang, n in kind.languages if lang not in ("", OTHERS)][:_LANGUAGES_SHOWN]
    unknown = dict(kind.languages).get("", 0)
    rest = kind.texts - unknown - sum(n for _, n in shown)
    parts = [_Part(lang, n / kind.texts, tones.get(lang, "tone-more")) for lang, n in shown]
    parts += [_Part("others", rest / kind.texts, "tone-rest")] if rest else []
    return parts + ([_Part(UNKNOWN, unknown / kind.texts, "tone-none")] if unknown else [])


def _false_negative_chart(examination: Examination) -> dict[str, Any] | None:
    views = [view for view in examination.false_negatives if view.shares]
    if not views:
        return None
    lines = [Line(view.view or "(no kind)", view.shares) for view in views]
    chart = share_chart(
        lines,
        label="Expected share of the rows of a batch that have a twin in it, for each view",
        x_label="batch size",
        y_label="% of rows with a twin",
    )
    return {"chart": chart, "sizes": _sizes(views), "views": views}


def _sizes(views: Sequence[Any]) -> list[int]:
    return [size for size, _ in views[0].shares]
