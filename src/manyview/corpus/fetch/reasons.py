"""Reasons: why an image was not fetched, in stable words, and whether asking again may help."""

from __future__ import annotations

__all__ = ["FetchFailure", "is_temporary", "status_reason"]

ANSWER_TIMED_OUT = "answer: timed out"
CONNECTION_FAILED = "connection: failed"
CONNECTION_REFUSED = "connection: refused"
CONNECTION_TIMED_OUT = "connection: timed out"
CONNECTION_BROKE_OFF = "connection: broke off"
CONNECTION_TLS = "connection: TLS failed"
ANSWER_NOT_HTTP = "answer: not HTTP"
HOST_ASKS_TO_WAIT = "host: asks to wait longer than allowed"
HOST_GIVEN_UP = "host: given up after failures in a row"
HOST_PRIVATE = "host: private address"
HOST_UNKNOWN = "host: unknown"
HOST_NO_NAME_SERVER = "host: name server does not answer"
IMAGE_EMPTY = "image: empty"
IMAGE_TOO_LARGE = "image: more bytes than allowed"
IMAGE_NOT_ONE = "image: not JPEG, PNG, GIF or WebP"
IMAGE_WEB_PAGE = "image: a web page instead"
REDIRECT_NOWHERE = "redirect: names no address"
REDIRECT_TOO_MANY = "redirect: too many"
ROBOTS_DISALLOW = "robots.txt: disallowed"
ROBOTS_UNREADABLE = "robots.txt: not readable"
URL_CREDENTIALS = "url: holds a user name"
URL_NO_ADDRESS = "url: not an address"
URL_NOT_HTTP = "url: not http or https"
URL_TOO_LONG = "url: too long"

_TEMPORARY = frozenset(
    {
        ANSWER_TIMED_OUT,
        CONNECTION_FAILED,
        CONNECTION_REFUSED,
        CONNECTION_TIMED_OUT,
        CONNECTION_BROKE_OFF,
        HOST_ASKS_TO_WAIT,
        HOST_GIVEN_UP,
        HOST_NO_NAME_SERVER,
        ROBOTS_UNREADABLE,
    }
)
_STATUS = "http status "
_TEMPORARY_STATUSES = frozenset({408, 425, 429})  # and all of 500 and above but the next
_PERMANENT_SERVER_STATUSES = frozenset({501, 505})


class FetchFailure(Exception):
    """One try failed. `retry_after_s` is how long the server asked to wait, if it did.

    `final` failures are not tried again in this run though they may be temporary.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None, final: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s
        self.final = final or not is_temporary(reason)


def status_reason(status: int) -> str:
    """The reason that stands for an HTTP status."""
    return f"{_STATUS}{status}"


def is_temporary(reason: str) -> bool:
    """Whether the same request may well succeed later."""
    if reason.startswith(_STATUS):
        status = int(reason.removeprefix(_STATUS))
        return status in _TEMPORARY_STATUSES or (status >= 500 and status not in _PERMANENT_SERVER_STATUSES)
    return reason in _TEMPORARY
