"""Where the benchmarks' tables go: the terminal and, with --write, docs/benchmarks.md."""

import datetime
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_PACKAGES = ("torch", "torchvision", "open_clip_torch", "timm", "transformers", "tokenizers", "opencv-python-headless")
Rows = Sequence[Sequence[str]]


def show(name: str, title: str, columns: Sequence[str], rows: Rows, *, write: bool = False) -> None:
    """Print a table and, with `write`, put it in place of the page's section of that name."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=130).print(table)
    if write:
        lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        _replace(name, f"{title}: `{command()}`\n\n{body}\n\n{machine()}\n")


def command() -> str:
    """The command that runs, without --write."""
    arguments = [_without_folders(of) for of in sys.argv[1:] if of != "--write"]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments])


def machine() -> str:
    """One line on where this runs."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    flags: set[str] = set()
    if info.is_file():
        said = info.read_text()
        found = re.search(r"model name\s*:\s*(.+)", said)
        processor = found.group(1) if found else processor
        flags = set((re.search(r"^flags\s*:\s*(.+)", said, re.M) or [""])[0].split())
    units = ", ".join(name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags)
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    threads = f"{torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"*{today}, {threads} of {processor} ({units}), Python {platform.python_version()}, {versions}.*"


def _replace(name: str, text: str) -> None:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page = _PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{_PAGE} has no section between {begin} and {end}")
    _PAGE.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


def _without_folders(argument: str) -> str:
    """A path of this machine by its last name: where things are kept changes no figure."""
    return Path(argument).name if Path(argument).is_absolute() else argument
