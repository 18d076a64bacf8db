"""README.md and README.zh-CN.md, run: every block of Python and shell does what it says, on small data."""

import ast
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.corpus.builder.shop import picture, write_table
from tests.train.conftest import TINY, corpus

from manyview import cli
from manyview.corpus import Corpus

__all__ = ["corpus"]  # the fixture of the training tests: a tiny corpus of colored squares

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.zh-CN.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
SMALL = [*TINY[2:3], *TINY[5:], "tensorboard=false"]  # of a training: its size is not looked at here
NOT_RUN = {
    "make demo": "installs, then trains for minutes: tests/demo runs the demo itself",
    "make test": "runs these tests",
    "torchrun": "eight processes; tests/train/test_world.py starts several, and the line before dry-runs this training",
}
"""Commands of the pages that are looked up, not run, with the reason."""


def blocks(page: str, language: str) -> list[str]:
    return [body for name, body in FENCE.findall((ROOT / page).read_text(encoding="utf-8")) if name == language]


def commands(page: str) -> list[list[str]]:
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def without_texts(code: str) -> str:
    """Python with its strings left out, which may be in the page's language."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.fixture
def verb(monkeypatch, capsys):
    """Runs a manyview command of a page in this process; returns what it printed."""

    def run(words: list[str]) -> str:
        monkeypatch.setattr(sys, "argv", ["manyview", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        printed = capsys.readouterr()
        assert stop.value.code in ((0, 3) if words[0] == "doctor" else (0, None)), (words, printed.err)
        return printed.out

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch, corpus, verb):
    """A folder with all that the pages' commands read, made small; it becomes the current one."""
    monkeypatch.chdir(tmp_path)
    Path("runs/demo").mkdir(parents=True)
    verb(["train", "many-view", "--corpus", str(corpus), "--out", "runs/demo/many-view", "batch_size=8", *SMALL])
    Path("photos").mkdir()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    for name in ("photo.png", "apple.png", "dog.jpg", "1.jpg", "photos/a.jpg", "photos/b.png"):
        image.save(name)
    rows = [
        {"id": f"s{n}", "image": picture(n), "title": f"red mug {n}", "tags": ["mug", f"kind {n % 7}"]}
        for n in range(60)
    ]
    write_table(Path("products.parquet"), rows)
    return tmp_path


def test_both_pages_have_the_same_code():
    english, chinese = (commands(page) for page in PAGES)
    assert english == chinese
    english, chinese = ([without_texts(code) for code in blocks(page, "python")] for page in PAGES)
    assert english == chinese
    kinds = {language for page in PAGES for language, _ in FENCE.findall((ROOT / page).read_text(encoding="utf-8"))}
    assert kinds == {"", "bash", "python"}, "a block of another language needs a law of its own"


def test_commands_that_are_not_run_are_named_and_exist():
    for page in PAGES:
        for words in commands(page):
            ours = Path(words[0]).name == "manyview"
            assert ours or " ".join(words[:2]) in NOT_RUN or words[0] in NOT_RUN, words
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    (torchrun,) = (words for words in commands("README.md") if words[0] == "torchrun")
    at = torchrun.index("-m")
    assert torchrun[at : at + 2] == ["-m", "manyview"]
    assert [*torchrun[at + 1 :], "--dry-run", "--processes", "8"] in commands("README.md")
    module = [sys.executable, "-m", "torch.distributed.run"]  # torchrun, also where it is not on the PATH
    assert subprocess.run([*module, *torchrun[1:at], "--help"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_the_page_runs(page, folder, monkeypatch):
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", printed)
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), {"__name__": "__main__"})
    assert re.match(r"tensor\(\[\[.*\]\]\)\n$", printed.getvalue(), re.S)
    (record,) = Corpus.open("corpus").records("train")
    assert [text.kind for text in record.texts] == ["title", "tags"]


def test_the_commands_of_the_page_run(folder, corpus, verb):
    Path("corpus").symlink_to(corpus)
    ran = []
    for words in commands("README.md"):
        if Path(words[0]).name != "manyview" or "--dry-run" in words:
            continue
        if words[1] == "train":
            verb([*words[1:], "batch_size=8", *SMALL])
        elif words[1] == "build":  # which starts processes of its own
            subprocess.run([sys.executable, "-m", "manyview", *words[1:]], check=True, capture_output=True)
        elif words[1] == "views":
            verb([*words[1:], "--rows", "8"])
        else:
            verb(words[1:])
        ran.append(words[1])
    assert {"search", "build", "doctor", "train", "views", "evaluate", "embed"} == set(ran)
    assert Path("runs/shop/model/model.safetensors").is_file()
    with np.load("photos.npz") as found:
        assert found["names"].tolist() == ["a.jpg", "b.png"]


@pytest.mark.slow
def test_the_dry_run_of_the_page_runs(folder, corpus, verb):
    """One layer of ViT-B/16 and BERT-base; the tiny corpus has fewer records than the recipe's batch."""
    Path("corpus").symlink_to(corpus)
    (words,) = (words for words in commands("README.md") if "--dry-run" in words)
    shallow = ["model.image.options={depth: 1}", "model.text.options={num_hidden_layers: 1}"]
    assert "memory of each of 8" in verb([*words[1:], "batch_size=16", *shallow])
    assert Path("runs/big.first-batch.html").is_file()
    assert not Path("runs/big").exists()
