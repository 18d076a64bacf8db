"""Images a second that one process fetches from servers of this machine, and what politeness costs of it.

    python benchmarks/fetch.py [--images 20000] [--bytes 20000] [--hosts 64] [--concurrency 128]

The servers are another process and answer each path with the same number of bytes; the hosts are addresses of the
loopback network, limits are off. `plain` is aiohttp reading the same answers with as many requests at once and
keeping nothing. `again` goes over the same list when all is fetched, `find` looks each URL up. CPU seconds are those
of this process: on a machine with other work they say more than the clock.
"""

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from manyview.corpus.fetch import FetchRules, FetchStore, fetch


class Server(asyncio.Protocol):
    """Answers whatever is asked, robots.txt with 404."""

    def __init__(self, body: bytes) -> None:
        self.found = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        missing = data.startswith(b"GET /robots.txt")
        self.transport.write(b"HTTP/1.1 404 -\r\nContent-Length: 0\r\n\r\n" if missing else self.found)


def serve(length: int, tell: Connection) -> None:
    """Serve on a free port of every address of this machine until killed."""

    async def run() -> None:
        body = b"\xff\xd8\xff" + bytes(length - 3)
        server = await asyncio.get_running_loop().create_server(lambda: Server(body), "0.0.0.0", 0, backlog=1000)
        tell.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def plain(urls: Iterator[str], concurrency: int) -> None:
    """Read all answers with aiohttp alone."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def lane() -> None:
            for url in urls:
                async with session.get(url) as response:
                    await response.read()

        await asyncio.gather(*(lane() for _ in range(concurrency)))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """One server process, four measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=128)
    given = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(given.bytes, theirs), daemon=True)
    server.start()
    port = ours.recv()

    def urls() -> Iterator[str]:
        return (f"http://127.0.0.{1 + n % given.hosts}:{port}/{n}.jpg" for n in range(given.images))

    rules = FetchRules(
        user_agent="manyview-benchmark (+https://localhost.example)",
        concurrency=given.concurrency,
        per_host=-(-given.concurrency // given.hosts) + 1,
        delay_s=0,
        allow_private=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        store = FetchStore(Path(folder))
        works: dict[str, Callable[[], object]] = {
            "plain": lambda: asyncio.run(plain(urls(), given.concurrency)),
            "fetch": lambda: fetch(urls(), store, rules),
            "again": lambda: fetch(urls(), store, rules),
            "find": lambda: [store.find(url) for url in urls()],
        }
        report(given.images, {name: timed(work) for name, work in works.items()})
        assert store.counts() == {"fetched": given.images}
    server.kill()


def report(images: int, took: dict[str, tuple[float, float]]) -> None:
    """The table of rates."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = Table(title=f"{images:,} images, peak memory {peak_mb:.0f} MB")
    for column in ("what", "images/s", "images per CPU second"):
        table.add_column(column)
    for name, (wall, cpu) in took.items():
        table.add_row(name, f"{images / wall:,.0f}", f"{images / cpu:,.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
