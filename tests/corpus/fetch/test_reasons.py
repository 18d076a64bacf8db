"""Every reason an image can be missing for, met against a server."""

from __future__ import annotations

import gzip
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.corpus.fetch.site import PNG, Answer, QuickClock, Site, rules, serving

from manyview.corpus.fetch import Failed, FetchStore, fetch, reasons
from manyview.corpus.fetch.reasons import is_temporary, status_reason


def outcome(folder: Path, url: str, **changes: object) -> str:
    """The reason a URL fails for, or "fetched"."""
    store = FetchStore(folder)
    report = fetch([url], store, rules(**changes), clock=QuickClock())
    found = store.find(url)
    store.close()
    reason = found.reason if isinstance(found, Failed) else "fetched"
    assert dict(report.counts) == {reason: 1}
    assert not isinstance(found, Failed) or found.temporary == is_temporary(reason)
    return reason


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + PNG)
    for _ in range(600):
        time.sleep(0.05)
        handler.wfile.write(b".")


def drip_header(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        time.sleep(0.05)
        handler.wfile.write(b"X-%d: y\r\n" % number)


def break_off(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PNG)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def babble(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
    for _ in range(10_000):
        handler.wfile.write(bytes(65536))


PAGES = {
    "/fine": (Answer(), "fetched"),
    "/liar": (Answer(headers={"Content-Type": "text/html"}), "fetched"),
    "/squeezed": (Answer(gzip.compress(PNG), headers={"Content-Encoding": "gzip"}), "fetched"),
    "/gone": (Answer(b"<html>", 404), "http status 404"),
    "/none": (Answer(b"", 204), "http status 204"),
    "/down": (Answer(b"", 503), "http status 503"),
    "/empty": (Answer(b""), reasons.IMAGE_EMPTY),
    "/page": (Answer(b"\n<!DOCTYPE html><html>"), reasons.IMAGE_WEB_PAGE),
    "/text": (Answer(b"not an image", headers={"Content-Type": "image/png"}), reasons.IMAGE_NOT_ONE),
    "/large": (Answer(PNG + bytes(200_000)), reasons.IMAGE_TOO_LARGE),
    "/endless": (Answer(raw=endless), reasons.IMAGE_TOO_LARGE),
    "/bomb": (
        Answer(gzip.compress(PNG + bytes(5 << 20)), headers={"Content-Encoding": "gzip"}),
        reasons.IMAGE_TOO_LARGE,
    ),
    "/noai": (Answer(headers={"X-Robots-Tag": "noai"}), "x-robots-tag: noai"),
    "/tdm": (Answer(headers={"TDM-Reservation": "1"}), "tdm-reservation: 1"),
    "/others": (Answer(headers={"X-Robots-Tag": "otherbot: noai, noindex"}), "fetched"),
    "/slow": (Answer(raw=drip), reasons.ANSWER_TIMED_OUT),
    "/slow-header": (Answer(raw=drip_header), reasons.ANSWER_TIMED_OUT),
    "/silent": (Answer(hold_s=2.0), reasons.ANSWER_TIMED_OUT),
    "/broken": (Answer(raw=break_off), reasons.CONNECTION_BROKE_OFF),
    "/hung-up": (Answer(raw=hang_up), reasons.CONNECTION_BROKE_OFF),
    "/babble": (Answer(raw=babble), reasons.ANSWER_NOT_HTTP),
    "/bad-gzip": (Answer(PNG, headers={"Content-Encoding": "gzip"}), reasons.CONNECTION_BROKE_OFF),
    "/moved": (Answer(b"", 302, {"Location": "/fine"}), "fetched"),
    "/accent": (Answer(b"", 302, {"Location": "/\u00c3\u00a9"}), "fetched"),
    "/raw": (Answer(b"", 302, {"Location": "/\u00ff"}), "fetched"),
    "/loop": (Answer(b"", 301, {"Location": "/loop"}), reasons.REDIRECT_TOO_MANY),
    "/nowhere": (Answer(b"", 302), reasons.REDIRECT_NOWHERE),
    "/ftp": (Answer(b"", 302, {"Location": "ftp://a.example/"}), reasons.URL_NOT_HTTP),
    "/file": (Answer(b"", 302, {"Location": "file:///etc/passwd"}), reasons.URL_NOT_HTTP),
    "/nonsense": (Answer(b"", 302, {"Location": "http://a b:x/"}), reasons.URL_NO_ADDRESS),
    "/forbidden-target": (Answer(b"", 302, {"Location": "/private/a"}), reasons.ROBOTS_DISALLOW),
    "/private/a": (Answer(), reasons.ROBOTS_DISALLOW),
    "/marked-move": (Answer(b"", 302, {"Location": "/fine", "X-Robots-Tag": "noimageai"}), "x-robots-tag: noimageai"),
}


@pytest.fixture(scope="module")
def site() -> Site:
    pages = {path: answer for path, (answer, _) in PAGES.items()}
    with serving({**pages, "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/")}) as site:
        yield site


@pytest.mark.parametrize("path", PAGES)
def test_what_a_server_does_becomes_its_reason(path: str, site: Site, tmp_path: Path) -> None:
    assert outcome(tmp_path, site.url(path), max_bytes=100_000, total_timeout_s=0.4) == PAGES[path][1]


@pytest.mark.parametrize("path", ["/slow", "/slow-header"])
def test_a_server_that_drips_cannot_hold_a_fetch(path: str, site: Site, tmp_path: Path) -> None:
    began_s = time.monotonic()
    outcome(tmp_path, site.url(path), total_timeout_s=0.3)
    assert time.monotonic() - began_s < 10  # it would drip for 30 seconds


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/a.png", reasons.URL_NOT_HTTP),
        ("file:///etc/passwd", reasons.URL_NOT_HTTP),
        ("data:image/png;base64,AAAA", reasons.URL_NOT_HTTP),
        ("", reasons.URL_NO_ADDRESS),
        ("images/a.png", reasons.URL_NO_ADDRESS),
        ("http://", reasons.URL_NO_ADDRESS),
        ("http://a b/", reasons.URL_NO_ADDRESS),
        ("http://a:99999/", reasons.URL_NO_ADDRESS),
        ("http://a:0/", reasons.URL_NO_ADDRESS),
        ("http://[::1", reasons.URL_NO_ADDRESS),
        ("http://127.1/", reasons.URL_NO_ADDRESS),
        ("http://me:secret@a.example/", reasons.URL_CREDENTIALS),
        ("http://a.example/" + "a" * 5000, reasons.URL_TOO_LONG),
        ("\ud800\x00", reasons.URL_NO_ADDRESS),
        ("http://" + "a" * 70 + ".example/", reasons.HOST_UNKNOWN),
        ("http://no-such-host.invalid/", reasons.HOST_UNKNOWN),
    ],
)
def test_what_is_no_address_becomes_its_reason(url: str, reason: str, tmp_path: Path) -> None:
    met = outcome(tmp_path, url)
    assert met == reason or (
        reason == reasons.HOST_UNKNOWN and met in {reasons.HOST_NO_NAME_SERVER, reasons.URL_NO_ADDRESS}
    )


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.2", "169.254.169.254"]
)
def test_no_name_leads_into_the_own_network(host: str, tmp_path: Path) -> None:
    with serving() as site:
        assert outcome(tmp_path, site.url("/fine", host), allow_private=False) == reasons.HOST_PRIVATE
        assert not site.asked


def test_a_redirect_may_not_lead_into_the_own_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from manyview.corpus.fetch import connection

    with serving(host="127.0.0.2") as inner:
        with serving({"/a": Answer(b"", 302, {"Location": inner.url("/secret")})}) as outer:
            monkeypatch.setattr(connection, "is_public", lambda address: address == "127.0.0.1")
            assert outcome(tmp_path, outer.url("/a"), allow_private=False) == reasons.HOST_PRIVATE
        assert not inner.asked


def test_a_closed_port_refuses(tmp_path: Path) -> None:
    with serving() as site:
        url = site.url("/a")
    assert outcome(tmp_path, url) == reasons.CONNECTION_REFUSED


def test_a_connection_that_never_stands_times_out(tmp_path: Path) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:  # the queue of the listener is full: nobody else comes in
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        met = outcome(tmp_path, f"http://127.0.0.1:{port}/a", connect_timeout_s=0.3)
        for one in waiting:
            one.close()
    assert met == reasons.CONNECTION_TIMED_OUT


def test_https_without_a_known_certificate_fails_for_good(tmp_path: Path) -> None:
    with serving() as site:
        assert outcome(tmp_path, site.url("/a").replace("http:", "https:")) == reasons.CONNECTION_TLS


def test_statuses_that_pass_are_temporary() -> None:
    temporary = {status for status in range(100, 600) if is_temporary(status_reason(status))}
    assert temporary == {408, 425, 429, *range(500, 600)} - {501, 505}
