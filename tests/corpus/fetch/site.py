"""A web site of this machine that keeps a record of how it was asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from manyview.corpus.fetch import FetchRules

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def image(number: int, length: int = 300) -> bytes:
    """Different bytes for each number that begin like a PNG file."""
    return (PNG[:8] + b"%d " % number).ljust(length, b".")


def rules(**changes: object) -> FetchRules:
    """Rules that reach this machine and do not wait."""
    quick = {"allow_private": True, "delay_s": 0.0, "attempts": 1, "total_timeout_s": 5.0, "connect_timeout_s": 2.0}
    return FetchRules.model_validate({"user_agent": "testbot/1.0 (+https://test.example)", **quick, **changes})


@dataclass
class Answer:
    """What a path answers; `raw` writes to the connection itself."""

    body: bytes = PNG
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hold_s: float = 0.0
    raw: Callable[[BaseHTTPRequestHandler], None] | None = None


class Site:
    """Paths with answers, by default an image each; no robots.txt unless it is among them.

    A list is answered one by one, its last again and again.
    """

    def __init__(self, pages: Mapping[str, Answer | list[Answer]], host: str = "127.0.0.1") -> None:
        self.pages = pages
        self.asked = Counter[str]()
        self.user_agents = set[str]()
        self.began_s: list[float] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer((host, 0), _handler(self))
        self.server.daemon_threads = True
        self.host, self.port = host, self.server.server_address[1]

    def url(self, path: str, host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"

    def answer(self, path: str) -> Answer:
        default = Answer(b"", 404) if path == "/robots.txt" else Answer()
        answer = self.pages.get(path, default)
        return answer[min(self.asked[path], len(answer)) - 1] if isinstance(answer, list) else answer


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with site.lock:
                site.asked[self.path] += 1
                site.began_s.append(time.monotonic())
                site.user_agents.add(self.headers["User-Agent"])
                site.at_once += 1
                site.most_at_once = max(site.most_at_once, site.at_once)
            try:
                self.reply(site.answer(self.path))
            except OSError:
                self.close_connection = True
            finally:
                with site.lock:
                    site.at_once -= 1

        def reply(self, answer: Answer) -> None:
            time.sleep(answer.hold_s)
            if answer.raw:
                answer.raw(self)
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *words: object) -> None:
            pass

    return Handler


@contextmanager
def serving(pages: Mapping[str, Answer | list[Answer]] | None = None, host: str = "127.0.0.1") -> Iterator[Site]:
    """A site while the block runs."""
    site = Site(pages or {}, host)
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


class QuickClock:
    """Time that passes only by sleeping, at once."""

    def __init__(self, date_s: float = 1_700_000_000.0) -> None:
        self.date_s, self.passed_s = date_s, 0.0
        self.slept: list[float] = []

    def now_s(self) -> float:
        return self.passed_s

    def since_1970_s(self) -> float:
        return self.date_s + self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed_s += seconds
