"""docs/adapt.md, run: from a table with a click log to a search, then again with more products."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.corpus.builder.shop import picture, write_table

from manyview.model import HeadConfig
from manyview.train import recipe

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adapt.md").read_text(encoding="utf-8")
THINGS = ("mug", "lamp", "chair", "boot", "clock", "kettle")
SHORT = ["steps=2", "batch_size=16", "workers=0", "tensorboard=false", "model.image.size=32"]
COUNT = 160


def commands() -> list[list[str]]:
    lines = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S)).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run(folder: Path, command: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command, *(SHORT if command[1] == "train" else [])],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout + done.stderr


def write_products(folder: Path, count: int) -> None:
    rows = [
        {"sku": f"s{n}", "image": picture(n), "title": f"{THINGS[n % 6]} {n}", "tags": [THINGS[n % 6], f"kind {n % 7}"]}
        for n in range(count)
    ]
    write_table(folder / "products.parquet", rows)
    log = [
        {"query": f"buy a {THINGS[n % 6]}", "id": f"s{n}", "position": 1 + n % 4, "impressions": 20, "clicks": 4}
        for n in range(count)
    ]
    write_table(folder / "clicks.parquet", log)


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    write_products(tmp_path, COUNT)
    for name, text in re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", PAGE, re.S):
        (tmp_path / name).write_text(text)
    install, *first, again = commands()
    assert install[:2] == ["pip", "install"]
    told = [run(tmp_path, command) for command in first]
    assert [command[1] for command in first] == ["build", "train", "evaluate", "search"]
    assert re.search(r"\b(mug|lamp|chair|boot|clock|kettle) \d+", told[-1])
    told_again = run(tmp_path, again)
    assert "computed" not in told_again, "nothing is new"
    assert (tmp_path / "runs/tuesday/model/model.safetensors").is_file()


def test_the_settings_that_the_page_names_are_those_of_the_recipe() -> None:
    config = recipe("adapt")
    assert f"`views.renderings={config.views.renderings}`" in PAGE
    assert f"`model.head.hidden={config.model.head.hidden}`" in PAGE
    assert f"`model.head.dropout={config.model.head.dropout:g}`" in PAGE
    assert f"`model.image.size={config.model.image.size}`" in PAGE
    assert f"a batch ({config.batch_size})" in PAGE
    assert {"hidden", "dropout"} == set(HeadConfig.model_fields)
