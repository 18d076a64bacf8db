"""docs/corpus.md, run: from a table with a click log, a crawl, and web archives to trained models."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.corpus.builder.shop import picture, write_table

from manyview.corpus import Corpus

PAGE = (Path(__file__).parents[1] / "docs" / "corpus.md").read_text(encoding="utf-8")
COLORS = ("red", "green", "blue", "yellow", "black")
THINGS = ("mug", "lamp", "chair", "boot", "clock", "kettle")
COUNT = 60
SHORT = [
    "steps=2",
    "batch_size=16",
    "workers=0",
    "tensorboard=false",
]  # of a training: its outcome is not looked at here


def named(number: int) -> str:
    return f"{COLORS[number % len(COLORS)]} {THINGS[number % len(THINGS)]}"


def commands(heading: str) -> list[list[str]]:
    """The commands of a section."""
    section = re.split(r"^## ", PAGE, flags=re.M)[1:]
    text = next(one for one in section if one.startswith(heading))
    lines = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.S)).replace("\\\n", "").splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def files() -> dict[str, str]:
    """The configs of the page by name."""
    return dict(re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", PAGE, re.S))


def run(folder: Path, command: list[str], *more: str) -> None:
    assert command[0] == "manyview"
    done = subprocess.run(
        [sys.executable, "-m", *command, *more, *(SHORT if command[1] == "train" else [])],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    verdicts = (0, 3) if command[1] == "doctor" else (0,)
    assert done.returncode in verdicts, (command, done.stderr)


@pytest.mark.slow
def test_a_shop(tmp_path: Path) -> None:
    rows = [
        {"sku": f"s{n}", "image": picture(n), "title": f"{named(n)} {n}", "tags": named(n).split(), "category": "home"}
        for n in range(COUNT)
    ]
    write_table(tmp_path / "products.parquet", rows)
    log = [
        {"query": f"buy {named(n)}", "id": f"s{n}", "position": 1 + n % 4, "impressions": 20, "clicks": 4 + n % 5}
        for n in range(COUNT)
    ]
    write_table(tmp_path / "clicks.parquet", log)
    for name, text in files().items():
        (tmp_path / name).write_text(text)
    for command in commands("A shop"):
        run(tmp_path, command)
    corpus = Corpus.open(tmp_path / "corpora/shop")
    kinds = {text.kind for split in corpus.splits for record in corpus.records(split) for text in record.texts}
    assert kinds == {"title", "tags", "category", "query"}
    assert (tmp_path / "runs/shop/model/model.safetensors").is_file()


@pytest.mark.slow
def test_a_crawl(tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    for number in range(2):
        with tarfile.open(tmp_path / "crawl" / f"{number:05d}.tar", "w") as tar:
            for n in range(number * COUNT // 2, (number + 1) * COUNT // 2):
                caption = f"A {named(n)} on the table"
                told = json.dumps({"caption": caption, "key": f"{n:09d}", "url": f"https://example.org/{n}.jpg"})
                members = {"jpg": picture(n), "txt": caption.encode(), "json": told.encode()}
                for suffix, data in members.items():
                    member = tarfile.TarInfo(f"{n:09d}.{suffix}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
    for command in commands("A crawl"):
        run(tmp_path, command)
    corpus = Corpus.open(tmp_path / "corpora/crawl")
    records = [record for split in corpus.splits for record in corpus.records(split)]
    assert {record.image for record in records} == {picture(n) for n in range(COUNT)}
    assert all({"caption", "tags"} <= {text.kind for text in record.texts} for record in records)
    for command in commands("A filter by a model"):
        run(tmp_path, command)
    best = Corpus.open(tmp_path / "corpora/best")
    kinds = [text.kind for split in best.splits for record in best.records(split) for text in record.texts]
    assert round(0.7 * COUNT) <= kinds.count("caption") < COUNT
    assert kinds.count("tags") == sum(text.kind == "tags" for record in records for text in record.texts)


@pytest.fixture
def host():
    """A server of pictures on this machine: its address."""

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = re.fullmatch(r"/photos/(\d+)\.jpg", self.path)
            body = picture(int(number[1]), side=80) if number else b""
            self.send_response(200 if number else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def page(n: int, host: str) -> str:
    return f"""<!doctype html><html lang="en"><head><title>The {named(n)} number {n} - Shop</title></head><body>
        <nav class="breadcrumb"><a href="/">Home</a> &gt; <a href="/t">{THINGS[n % len(THINGS)]}s</a></nav>
        <h1>Our {named(n)} of the year {2000 + n}</h1>
        <p>This is the {named(n)} that everybody in the family wanted to have for the new kitchen, item {n}.</p>
        <figure><img src="{host}/photos/{n}.jpg" width="80" height="80" alt="A {named(n)} from the front, item {n}">
        <figcaption>The {named(n)} stands on a table in front of window {n}</figcaption></figure></body></html>"""


@pytest.mark.slow
def test_web_pages(tmp_path: Path, host: str) -> None:
    (tmp_path / "warc").mkdir()
    with (tmp_path / "warc" / "crawl-0.warc").open("wb") as archive:
        for n in range(COUNT):
            http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page(n, host)}".encode()
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://shop.example/{n}\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{n:012d}>\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
            )
            archive.write(head.encode() + http + b"\r\n\r\n")
    near = ["fetch.allow_private=true", "fetch.delay_s=0"]  # the test's own server
    for command in commands("Web pages"):
        run(tmp_path, command, *(near if command[1] == "build" else []))
    corpus = Corpus.open(tmp_path / "corpora/web")
    records = [record for split in corpus.splits for record in corpus.records(split)]
    assert {record.image for record in records} == {picture(n, side=80) for n in range(COUNT)}
    assert all({"alt", "caption", "title", "heading"} <= {text.kind for text in record.texts} for record in records)
