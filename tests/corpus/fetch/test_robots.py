"""Laws of robots.txt, from RFC 9309."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.fetch.robots import MAX_ROBOTS_BYTES, parse_robots

PATHS = st.text("ab/", max_size=7).map(lambda text: f"/{text}")
PATTERNS = st.text("ab/*", max_size=6).map(lambda text: f"/{text}")


def allows(text: str, target: str, token: str = "testbot") -> bool:
    return parse_robots(text.encode(), token).allows(target)


def by_definition(rules: list[tuple[bool, str]], path: str) -> bool:
    """Of all matching patterns the longest decides, "allow" among equals, and no match allows."""

    def expression(pattern: str) -> str:
        ends = pattern.endswith("$")
        body = ".*".join(re.escape(piece) for piece in pattern.removesuffix("$").split("*"))
        return f"{body}$" if ends else body

    def length(pattern: str) -> int:
        return len(re.sub(r"\*+", "*", pattern))

    matching = [(length(pattern), allow) for allow, pattern in rules if re.match(expression(pattern), path)]
    return max(matching)[1] if matching else True


@given(
    st.lists(st.tuples(st.booleans(), st.tuples(PATTERNS, st.sampled_from(["", "$"])).map("".join)), max_size=6), PATHS
)
def test_the_longest_matching_pattern_decides(rules: list[tuple[bool, str]], path: str) -> None:
    text = "User-agent: *\n" + "".join(f"{'Allow' if allow else 'Disallow'}: {pattern}\n" for allow, pattern in rules)
    assert allows(text, path) == by_definition(rules, path)


RFC_EXAMPLE = """
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""  # RFC 9309, 5.1


@pytest.mark.parametrize(
    ("token", "target", "allowed"),
    [
        ("other", "/example/page.html", False),
        ("other", "/a.gif", False),
        ("other", "/a.gif?b", True),
        ("other", "/publications/", True),
        ("foobot", "/example/page.html", True),
        ("FooBot", "/example/allowed.gif", True),
        ("foobot", "/publications/", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/a.gif", True),
        ("quxbot", "/a.gif", True),
        ("quxbot", "/example/page.html", True),
        ("foobot", "/robots.txt", True),
    ],
)
def test_the_example_of_the_rfc(token: str, target: str, allowed: bool) -> None:
    assert allows(RFC_EXAMPLE, target, token) is allowed


def test_groups_of_one_agent_are_one_group() -> None:
    text = "user-agent: testbot\ndisallow: /a\n\nuser-agent: *\ndisallow: /\n\nuser-agent: TestBot/2.0\ndisallow: /b"
    assert [allows(text, path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_other_lines_do_not_interfere() -> None:
    text = "User-agent: testbot\nSitemap: https://a.example/map.xml\nUser-agent: other\nrubbish\nDisallow: /a # why\n"
    assert not allows(text, "/a")
    assert allows(text, "/b")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_and_a_byte_order_mark_are_read(line_end: str) -> None:
    assert not allows("\ufeff" + line_end.join(["User-agent: *", "Disallow: /a"]), "/a")


@pytest.mark.parametrize(
    ("pattern", "target", "matches"),
    [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz", True),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", True),
        ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84", True),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", True),
        ("/a/%2A.html", "/a/*.html", True),
        ("/a/%2A.html", "/a/b.html", False),
        ("/a/%24b", "/a/$b", True),
        ("/a$b", "/a$b", True),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%2fb", "/a/b", False),
        ("/A", "/a", False),
        ("/100%", "/100%25", True),
    ],
)
def test_octets_are_compared_after_percent_encoding(pattern: str, target: str, matches: bool) -> None:
    assert allows(f"User-agent: *\nDisallow: {pattern}", target) is not matches


@pytest.mark.parametrize("text", ["", "Disallow: /", "User-agent: *\nDisallow:", "<html>Disallow: /</html>", "\0\xff:"])
def test_what_forbids_nothing_allows_everything(text: str) -> None:
    assert allows(text, "/a")


@pytest.mark.parametrize(
    ("value", "delay_s"), [("2", 2.0), ("0.5", 0.5), ("-1", 0), ("soon", 0), ("inf", 0), ("nan", 0)]
)
def test_a_crawl_delay_is_a_positive_number(value: str, delay_s: float) -> None:
    text = f"User-agent: testbot\nCrawl-delay: {value}\nUser-agent: *\nCrawl-delay: 9\n"
    assert parse_robots(text.encode(), "testbot").crawl_delay_s == delay_s


def test_only_the_first_500_kib_are_read() -> None:
    text = b"User-agent: *\n" + b"#" * (MAX_ROBOTS_BYTES - 30) + b"\nDisallow: /aaaaaaaaaaaaaaaaa\nDisallow: /b\n"
    assert parse_robots(text, "testbot").allows("/b")
    assert not parse_robots(text.replace(b"#" * 100, b"#"), "testbot").allows("/b")


def test_a_hostile_file_costs_little_time() -> None:
    stars = "User-agent: *\n" + f"Disallow: /{'*a' * 40}*b\n" * 5 + f"Disallow: /{'*aa' * 300}b$\n" * 3
    began_s = time.process_time()
    assert allows(stars, "/" + "a" * 4000)
    assert time.process_time() - began_s < 1


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    assert parse_robots(data, "testbot").allows("/robots.txt")
