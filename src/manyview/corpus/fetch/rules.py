"""Rules: how politely, how long and how much to fetch."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from manyview.config import Config

__all__ = ["FetchRules"]

_TOKEN = re.compile(r"[A-Za-z_-]+")
_CONTACT = re.compile(r"https?://\S+\.\S+|[^\s@(+]+@[^\s@]+\.[^\s@)]+")


class FetchRules(Config):
    """What a fetch may ask of other people's servers."""

    user_agent: str = Field(
        description="who asks: a product token of letters, - and _, then a way to reach you, "
        "as in 'acme-corpus/1.0 (+https://acme.example/crawler; crawler@acme.example)'"
    )
    concurrency: int = Field(default=128, ge=1, le=10_000, description="requests under way at once, all hosts together")
    per_host: int = Field(default=2, ge=1, description="requests under way at once for one host")
    delay_s: float = Field(default=0.2, ge=0, description="seconds between the starts of two requests to one host")
    max_crawl_delay_s: float = Field(
        default=30.0, ge=0, description="a robots.txt may ask for a longer delay up to this many seconds"
    )
    connect_timeout_s: float = Field(default=10.0, gt=0, description="seconds for a connection to stand")
    total_timeout_s: float = Field(
        default=60.0, gt=0, description="seconds for one whole answer, however slowly it drips"
    )
    attempts: int = Field(default=3, ge=1, le=20, description="tries per URL in one run when the failure is temporary")
    backoff_s: float = Field(default=1.0, ge=0, description="wait after the first failed try; doubles with each")
    max_wait_s: float = Field(
        default=120.0,
        ge=0,
        description="longest wait for a Retry-After; a host that asks for more is left for this run",
    )
    max_bytes: int = Field(default=20 << 20, ge=1, description="a larger image is not taken")
    max_redirects: int = Field(default=5, ge=0, description="redirects followed for one image; each is checked anew")
    opt_out: tuple[str, ...] = Field(
        default=("noai", "noimageai", "noindex", "noimageindex", "noml", "tdm-reservation"),
        description="X-Robots-Tag directives that forbid an image; 'tdm-reservation' means that header",
    )
    own_hosts: tuple[str, ...] = Field(
        default=(), description="hosts that are yours: robots.txt and opt-out headers are not asked, limits hold"
    )
    allow_private: bool = Field(
        default=False,
        description="also connect to private, loopback and link-local addresses: never for URLs of others",
    )
    stop_after: int = Field(default=500, ge=1, description="URLs to try before the share of failures is judged")
    max_failure_share: float = Field(
        default=0.9, gt=0, le=1, description="the fetch stops when more than this share of the URLs tried failed"
    )
    host_failures: int = Field(
        default=20, ge=1, description="connections that fail in a row before a host is left for this run"
    )
    window: int = Field(
        default=20_000,
        ge=1,
        description="URLs looked ahead to keep many hosts busy; memory grows with it, not with the list",
    )
    seed: int = Field(default=0, description="of the spread of waits between tries")

    @field_validator("user_agent")
    @classmethod
    def _names_a_contact(cls, user_agent: str) -> str:
        if not user_agent.isascii() or not user_agent.isprintable():
            raise ValueError("allowed: printable ASCII characters")
        if not _TOKEN.match(user_agent):
            raise ValueError("allowed: a product token of letters, - and _ at the beginning")
        if not _CONTACT.search(user_agent):
            raise ValueError("allowed: an agent that names a contact, an http(s) address or an e-mail address")
        return user_agent

    @field_validator("opt_out", "own_hosts")
    @classmethod
    def _lower_case(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().casefold() for name in names)

    @model_validator(mode="after")
    def _window_feeds_everybody(self) -> FetchRules:
        if self.window < self.concurrency:
            raise ValueError(f"window is {self.window}, allowed: at least the concurrency of {self.concurrency}")
        return self

    @property
    def token(self) -> str:
        """The product token that robots.txt and X-Robots-Tag call this crawler by."""
        match = _TOKEN.match(self.user_agent)
        assert match is not None
        return match[0]
