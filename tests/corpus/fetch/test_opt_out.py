"""Laws of opt-out headers."""

from __future__ import annotations

import pytest

from manyview.corpus.fetch.opt_out import opted_out

REFUSED = ("noai", "noimageai", "noindex")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], None),
        (["noai"], "noai"),
        (["NoAI, NoFollow"], "noai"),
        (["nofollow", "noimageai"], "noimageai"),
        (["all, nosnippet"], None),
        (["none"], "noindex"),
        (["testbot: noai"], "noai"),
        (["TestBot: nofollow, noindex"], "noindex"),
        (["otherbot: noai"], None),
        (["otherbot: nofollow, noai"], None),
        (["otherbot: nofollow, testbot: noai"], "noai"),
        (["otherbot: noai", "noindex"], "noindex"),
        (["*: noai"], "noai"),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], "noai"),
        (["max-image-preview: large, noindex"], "noindex"),
        (["noaim, noindexes"], None),
        (["::, ,:noai"], None),
    ],
)
def test_a_directive_binds_everybody_or_whom_it_names(lines: list[str], reason: str | None) -> None:
    assert opted_out(lines, None, "testbot", REFUSED) == (reason and f"x-robots-tag: {reason}")


def test_only_the_directives_of_the_rules_count() -> None:
    assert opted_out(["noai, noindex"], "1", "testbot", ()) is None
    assert opted_out(["noai, noindex"], "1", "testbot", ("noindex",)) == "x-robots-tag: noindex"


@pytest.mark.parametrize(
    ("value", "reason"), [("1", "tdm-reservation: 1"), (" 1 ", "tdm-reservation: 1"), ("0", None), (None, None)]
)
def test_reserved_rights_are_heeded(value: str | None, reason: str | None) -> None:
    assert opted_out([], value, "testbot", ("tdm-reservation",)) == reason
