"""Laws of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from manyview.corpus.fetch.address import MAX_CHARS, canonical, filed, is_public, origin_of
from manyview.corpus.fetch.reasons import FetchFailure


@pytest.mark.parametrize(
    "spelling",
    [
        "http://a.example/b%20c?d=1",
        " http://a.example/b c?d=1\n",
        "HTTP://A.Example:80/b%20c?d=1",
        "http://a.example/x/../b%20c?d=1#top",
    ],
)
def test_spellings_of_one_address_are_one(spelling: str) -> None:
    assert str(canonical(spelling)) == "http://a.example/b%20c?d=1"


def test_an_address_without_a_path_has_one() -> None:
    assert str(canonical("http://a.example")) == str(canonical("http://a.example:80/#x")) == "http://a.example/"
    assert str(canonical("http://a.example?b")) == "http://a.example/?b"


def test_other_addresses_stay_other() -> None:
    addresses = [
        "http://a.example/b",
        "https://a.example/b",
        "http://a.example/B",
        "http://a.example/b?",
        "http://a.example/b?c",
    ]
    addresses += [
        "http://a.example:81/b",
        "http://a.example/b%2Fc",
        "http://a.example/b/c",
        "http://пример.рф/ф",
        "http://[2001:db8::1]/",
    ]
    assert len({str(canonical(address)) for address in addresses}) >= len(addresses) - 1  # "b?" may equal "b"


@given(st.text() | st.text("htps:/.?#@[]%ab1 é", max_size=40).map("http://".__add__))
def test_filing_twice_is_filing_once(text: str) -> None:
    key, url = filed(text)
    assert len(key) <= MAX_CHARS
    assert key.encode()
    if isinstance(url, URL):
        assert filed(key) == (key, url)


def test_long_texts_are_told_apart() -> None:
    one, other = ("http://a.example/" + "a" * 9000 + end for end in "bc")
    assert filed(one)[0] != filed(other)[0]
    assert isinstance(filed(one)[1], FetchFailure)


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://a.example/b", "https://a.example:443"), ("http://[2001:DB8::1]:8/b", "http://[2001:db8::1]:8")],
)
def test_an_origin_names_its_port_and_is_an_address(url: str, origin: str) -> None:
    assert origin_of(canonical(url)) == origin
    assert canonical(f"{origin}/robots.txt").path == "/robots.txt"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2002:a00:1::1"),
    ],
)
def test_addresses_of_a_private_network_are_not(address: str) -> None:
    assert not is_public(address)
