"""robots.txt by RFC 9309: which paths of an origin a crawler may ask for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["MAX_ROBOTS_BYTES", "Robots", "parse_robots"]

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much must be read
_PRODUCT = re.compile(r"[A-Za-z_-]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_STARS = re.compile(r"\*+")
_AGENT_KEYS = frozenset({"user-agent", "useragent", "user agent"})
_RULE_KEYS = frozenset({"allow", "disallow", "crawl-delay"})


@dataclass(frozen=True)
class Rule:
    """A path pattern: `*` is any run of characters, a final `$` the end of the path."""

    pattern: str
    allow: bool

    def matches(self, path: str) -> bool:
        """Leftmost matching of the pieces between stars: no backtracking, whatever a hostile file says."""
        ends = self.pattern.endswith("$")
        first, *pieces = (self.pattern[:-1] if ends else self.pattern).split("*")
        if not path.startswith(first):
            return False
        at, last = len(first), pieces.pop() if ends and pieces else None
        for piece in pieces:
            if (found := path.find(piece, at)) < 0:
                return False
            at = found + len(piece)
        if last is not None:
            return path.endswith(last) and len(path) - len(last) >= at
        return not ends or at == len(path)


@dataclass(frozen=True)
class Robots:
    """The rules that bind one crawler, the longest pattern first and "allow" first among equals."""

    rules: tuple[Rule, ...] = ()
    crawl_delay_s: float = 0.0

    def allows(self, target: str) -> bool:
        """Whether path and query may be asked for: the longest matching pattern decides (RFC 9309, 2.2.2)."""
        path = _normalized(target).replace("*", "%2A").replace("$", "%24")
        if path == "/robots.txt":
            return True
        return next((rule.allow for rule in self.rules if rule.matches(path)), True)

    @property
    def weight(self) -> int:
        """About how many bytes of memory the rules take."""
        return 200 + sum(150 + len(rule.pattern) for rule in self.rules)


def parse_robots(data: bytes, token: str) -> Robots:
    """The rules for the product token: all groups that name it or, if none does, all groups for `*`.

    Bytes after the first 500 KiB are not read; what cannot be understood is passed over.
    """
    groups, current = dict[str, _Group](), dict[str, _Group]()
    in_header = False
    for key, value in _lines(data):
        if key in _AGENT_KEYS:
            current = current if in_header else {}
            current[_product(value)] = groups.setdefault(_product(value), _Group())
            in_header = True
        elif key in _RULE_KEYS:  # other lines, such as Sitemap, must not interfere (RFC 9309, 2.2.4)
            in_header = False
            for agent in current.keys() & {token.casefold(), "*"}:
                current[agent].add(key, value)
    return groups.get(token.casefold(), groups.get("*", _Group())).robots()


class _Group:
    def __init__(self) -> None:
        self.rules = dict[Rule, None]()
        self.delay_s = 0.0

    def add(self, key: str, value: str) -> None:
        if key == "crawl-delay":
            self.delay_s = max(self.delay_s, _seconds(value))
        elif value.startswith(("/", "*")):  # an empty Disallow forbids nothing
            ends = value.endswith("$")
            body = _normalized(value[:-1] if ends else value).replace("$", "%24")
            self.rules[Rule(_STARS.sub("*", body) + "$" * ends, key == "allow")] = None

    def robots(self) -> Robots:
        rules = sorted(self.rules, key=lambda rule: (-len(rule.pattern), not rule.allow, rule.pattern))
        return Robots(tuple(rules), self.delay_s)


def _lines(data: bytes) -> Iterator[tuple[str, str]]:
    text = data[:MAX_ROBOTS_BYTES].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    for line in re.split(r"[\r\n]+", text):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().casefold(), value.strip()


def _product(value: str) -> str:
    match = _PRODUCT.match(value)
    return match[0].casefold() if match else value


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _normalized(path: str) -> str:
    """One spelling per octet: unreserved characters plain, all others but reserved ones as %XX."""

    def escape(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if _UNRESERVED.fullmatch(char) else f"%{match[1].upper()}"

    return _ESCAPE.sub(escape, quote(_LONE_PERCENT.sub("%25", path), safe="/%:?#[]@!$&'()*+,;=~"))
