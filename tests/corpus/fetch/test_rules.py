"""Laws of the rules."""

from __future__ import annotations

import pytest

from manyview.config import load_config
from manyview.corpus.fetch import FetchRules
from manyview.errors import UsageError


@pytest.mark.parametrize(
    "agent",
    [
        "acme-bot/1.0 (+https://acme.example/bot)",
        "Acme_Bot crawler@acme.example",
        "a/1 (b; https://c.example; d@e.example)",
    ],
)
def test_an_agent_that_can_be_reached_is_taken(agent: str) -> None:
    assert FetchRules(user_agent=agent).token == agent.replace("/", " ").split(maxsplit=1)[0]


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64)", "names a contact"),
        ("acme-bot/1.0", "names a contact"),
        ("acme@", "names a contact"),
        ("", "product token"),
        ("7bot a@b.example", "product token"),
        ("bot a@b.example\r\nX-Evil: 1", "printable"),
        ("böt a@b.example", "printable"),
    ],
)
def test_an_agent_without_name_or_contact_is_refused_in_one_sentence(agent: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=f"user_agent.*{sentence}"):
        load_config(FetchRules, defaults={"user_agent": agent})


def test_an_agent_must_be_given() -> None:
    with pytest.raises(UsageError, match="'user_agent' is missing"):
        load_config(FetchRules)


def test_the_window_feeds_all_requests() -> None:
    with pytest.raises(UsageError, match="window is 10, allowed: at least the concurrency of 20"):
        load_config(FetchRules, defaults={"user_agent": "a b@c.example", "window": 10, "concurrency": 20})


def test_each_rule_says_what_it_means() -> None:
    assert all(field.description for field in FetchRules.model_fields.values())
