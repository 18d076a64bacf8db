"""The command line: every verb on a real run, and one sentence with the right exit code for mistakes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.train.conftest import TINY, corpus
from tests.train.processes import training, wait_for_step

from manyview import DualEncoder, __version__, cli
from manyview.config import load_config
from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.train import TrainConfig, recipe

__all__ = ["corpus"]  # the fixture of the training tests: a tiny corpus of colored squares

HELP_S = 0.4


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a verb in this process: (exit code, stdout, stderr)."""

    def of(*arguments):
        monkeypatch.setattr(sys, "argv", ["manyview", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return of


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A finished run of a recipe."""
    out = tmp_path_factory.mktemp("runs") / "colors"
    arguments = ["train", "many-view", "--corpus", str(corpus), "--out", str(out), *TINY[:1], *TINY[2:]]
    before, sys.argv = sys.argv, ["manyview", *arguments]
    with pytest.raises(SystemExit) as stop:
        cli.main()
    sys.argv = before
    assert not stop.value.code
    return out


def test_a_split_that_cannot_be_judged_is_refused_before_the_first_step(run, corpus, tmp_path):
    records = list(Corpus.open(corpus).records("train"))
    splits = {"train": records[:10], "val": [replace(record, texts=()) for record in records[10:]]}
    write_corpus(tmp_path / "silent", splits, name="silent")
    settings = [*TINY[:1], *TINY[2:], "evaluate_every=2"]
    for dry in ([], ["--dry-run"]):
        code, _, said = run(
            "train", "many-view", "--corpus", tmp_path / "silent", "--out", tmp_path / "run", *dry, *settings
        )
        assert code == 2
        assert "the split 'val' of " in said
        assert "has no text at all" in said
        assert not (tmp_path / "run").exists()


def test_one_kind_of_query_is_judged_when_it_is_named(run, corpus, trained):
    code, out, _ = run("evaluate", trained, "--on", corpus, "--kind", "title", "--kind", "title.zh", "--json")
    assert code == 0
    assert set(json.loads(out)["squares"]) == {"title", "title.zh"}


def test_kinds_with_too_few_queries_are_named(run, corpus, trained, tmp_path):
    records = list(Corpus.open(corpus).records("test"))
    noted = [replace(record, texts=(*record.texts, Text("note", f"note {record.id}", "de"))) for record in records[:3]]
    write_corpus(tmp_path / "noted", {"test": [*noted, *records[3:]]}, name="noted")
    code, out, said = run("evaluate", trained, "--on", tmp_path / "noted", "--json")
    assert code == 0
    assert {"title", "all", "title.zh"} <= set(json.loads(out)["squares"])
    assert "left out: note.de of squares, 3 queries are too few" in said


def test_help_is_fast_and_loads_no_torch():
    code = (
        "import sys, time\n"
        "sys.argv = ['manyview', '--help']\n"
        "from manyview import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'timm', 'pyarrow'} & sys.modules.keys()\n"
        "print(time.process_time(), heavy, file=sys.stderr)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb in ("demo", "views", "train", "evaluate", "embed", "search"):
        assert verb in said.stdout
    seconds, heavy = said.stderr.strip().splitlines()[-1].split(" ", 1)
    assert heavy == "set()"
    assert float(seconds) < 4 * HELP_S  # CPU time with room for a slow machine; the bar itself is benchmarked


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"manyview {__version__}\n", "")


def test_train_says_where_the_model_is_and_can_be_resumed(run, trained, corpus):
    assert (trained / "model" / "model.safetensors").is_file()
    same = ["train", "many-view", "--corpus", corpus, "--out", trained, *TINY[:1], *TINY[2:]]
    code, out, _ = run(*same, "--resume")
    assert (code, out) == (0, f"{trained / 'model'}\n")
    code, _, err = run(*same)
    assert code == 2
    assert "--resume" in err


def test_a_config_file_gives_the_run_again(run, trained, corpus, tmp_path):
    code, *_ = run("train", "many-view", "-c", trained / "config.yaml", "--out", tmp_path / "again")
    assert code == 0
    same = [(folder / "model" / "model.safetensors").read_bytes() for folder in (trained, tmp_path / "again")]
    assert same[0] == same[1]


def test_evaluate_prints_a_table_or_json(run, trained, corpus, monkeypatch):
    code, out, _ = run("evaluate", trained, "--on", corpus, "--json")
    assert code == 0
    cell = json.loads(out)["squares"]["title"]["t2i"]
    assert cell["queries"] == cell["gallery"] == 12
    assert 0 <= cell["r1"] <= cell["r5"] <= cell["r10"] <= 100
    monkeypatch.setenv("COLUMNS", "160")
    code, out, _ = run("evaluate", trained, "--on", corpus)
    assert code == 0
    assert "text → image" in out
    assert "no record task" not in out


def test_evaluate_judges_records_and_learns_their_weights_on_another_split(run, trained, corpus, tmp_path):
    shutil.copytree(trained / "model", tmp_path / "model")
    records = list(Corpus.open(corpus).records("train"))
    held_out = list(Corpus.open(corpus).records("test"))
    write_corpus(tmp_path / "more", {"test": records, "val": held_out}, name="more")
    on = ("evaluate", tmp_path / "model", "--on", tmp_path / "more")
    code, out, _ = run(*on, "--json")
    assert code == 0
    answers = json.loads(out)["records"]["squares"]["title"]
    assert set(answers) == {"record", "text", "image", "bm25", "bm25+record"}
    assert 0 < answers["record"]["mrr"] <= 1
    code, out, said = run(*on, "--learn-weights", "val")
    assert code == 0
    assert "BM25+RECORD" in out.upper()
    assert "record weights, learned on the split 'val': image 1, tags" in said
    assert set(DualEncoder.from_pretrained(tmp_path / "model").config.record.weights) == {"image", "tags", "title"}
    assert "another one, as val" in run(*on, "--learn-weights", "test")[2]
    assert "no corpus has the split 'nowhere'" in run(*on, "--learn-weights", "nowhere")[2]


def test_a_training_learns_record_weights_where_it_has_a_split_for_it(run, trained, corpus, tmp_path):
    splits = {"train": list(Corpus.open(corpus).records("train")), "val": list(Corpus.open(corpus).records("test"))}
    write_corpus(tmp_path / "more", splits, name="more")
    out = tmp_path / "run"
    code, _, said = run("train", "many-view", "--corpus", tmp_path / "more", "--out", out, *TINY[:1], *TINY[2:])
    assert code == 0
    assert "record weights, learned on the split 'val'" in said
    assert DualEncoder.from_pretrained(out).config.record.weights.keys() == {"image", "tags", "title"}
    assert DualEncoder.from_pretrained(trained).config.record.weights == {}
    assert "record weights stay 1: no corpus has the split 'val'" in (trained / "train.log").read_text()


def test_a_corpus_without_record_tasks_is_judged_by_pictures_and_says_so(run, trained, corpus, tmp_path):
    records = [replace(r, texts=r.texts[:1]) for r in Corpus.open(corpus).records("train")]
    write_corpus(tmp_path / "titled", {"test": records}, name="titled")
    code, out, said = run("evaluate", trained, "--on", tmp_path / "titled", "--json")
    assert code == 0
    assert json.loads(out)["records"] == {}
    assert "no record task: the texts of the split are of one kind (title), the one that asks" in said


def test_search_finds_by_words_chinese_and_pictures(run, trained, corpus, tmp_path):
    for query in ("red", "红"):
        code, out, _ = run("search", trained, query, "--top", 3, "--json", "--page", tmp_path / "page.html")
        assert code == 0
        assert [hit["rank"] for hit in json.loads(out)["hits"]] == [1, 2, 3]
        assert query in (tmp_path / "page.html").read_text()
    record = next(Corpus.open(corpus).records("test"))
    (tmp_path / "one.png").write_bytes(record.image)
    code, out, _ = run("search", trained, "--image", tmp_path / "one.png", "--by", "image", "--json")
    assert json.loads(out)["hits"][0]["id"] == record.id
    code, out, err = run("search", trained, "red")
    assert code == 0
    assert "square" in out
    assert "last-search.html" in err


def test_search_says_why_each_record_was_found_and_ranks_by_what_it_is_told(run, trained, corpus, tmp_path):
    command = ["search", trained, "red", "--top", 5]
    by_record = json.loads(run(*command, "--json")[1])
    assert by_record["by"] == "record"
    views = list(by_record["hits"][0]["views"])
    assert {"image", "title"} <= set(views)
    _, out, _ = run(*command)
    assert out.split()[: len(views) + 2] == ["rank", "score", *views]
    for view in views:
        hits = json.loads(run(*command, "--by", view, "--json")[1])["hits"]
        assert [hit["score"] for hit in hits] == [hit["views"][view] for hit in hits]
    alone = [option for view in views if view != "image" for option in ("--weight", f"{view}=0")]
    by_picture = json.loads(run(*command, *alone, "--json")[1])
    assert by_picture["weights"]["title"] == 0
    assert [hit["id"] for hit in by_picture["hits"]] == [
        hit["id"] for hit in json.loads(run(*command, "--by", "image", "--json")[1])["hits"]
    ]
    groups = {record.id: record.group for split in ("train", "test") for record in Corpus.open(corpus).records(split)}
    few = json.loads(run("search", trained, "red", "--top", 100, "--per-group", 1, "--json")[1])
    assert sorted(groups[hit["id"]] for hit in few["hits"]) == sorted(set(groups.values()))[:100]
    (tmp_path / "one.png").write_bytes(next(Corpus.open(corpus).records("test")).image)
    code, out, _ = run(*command, "--image", tmp_path / "one.png", "--json")
    assert (code, len(json.loads(out)["hits"])) == (0, 5)


@pytest.mark.filterwarnings("default:.*the index is built again")
def test_a_damaged_index_of_a_run_is_built_again_with_a_sentence(run, trained):
    expected = run("search", trained, "red", "--json")[1]
    (trained / "index" / "index.json").write_text('{"format": 1}')
    code, _, err = run("search", trained / "index", "red")
    assert code == 3
    assert "has the format 1, this manyview reads 2: build the index again" in err
    code, out, err = run("search", trained, "red", "--json")
    assert (code, out) == (0, expected)
    assert err.count("the index is built again") == 1
    assert "the index is built again" not in run("search", trained, "red", "--json")[2]


def test_search_takes_an_index_and_a_bare_model(run, trained, corpus, tmp_path):
    of_run = run("search", trained, "blue", "--json")[1]
    assert run("search", trained / "index", "blue", "--json")[1] == of_run
    assert run("search", trained / "model", "blue", "--json", "--corpus", corpus)[1] == of_run
    code, _, err = run("search", tmp_path, "blue")
    assert code == 2
    assert "no model" in err


def test_views_draws_what_training_sees(run, corpus, tmp_path):
    code, out, _ = run("views", corpus, "--out", tmp_path / "views.html", "--rows", 6)
    assert (code, out) == (0, f"{tmp_path / 'views.html'}\n")
    assert (tmp_path / "views.html").read_text().count("data:image/webp") == 6


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "many-view", "--corpus", "{tmp}/nowhere", "--out", "{tmp}/o"], 2, "no corpus at"),
        (["train", "many-view", "--corpus", "{tmp}", "--out", "{tmp}/o"], 2, "is not a corpus"),
        (["train", "many-views", "--out", "{tmp}/o"], 2, "no recipe named"),
        (["train", "many-view", "--out", "{tmp}/o", "optimizer.learning_rat=1"], 2, "did you mean"),
        (["train", "many-view", "--out", "{tmp}/o", "steps"], 2, "key=value"),
        (["train", "many-view", "--out", "{tmp}/o", "objective.pairs.0.key=clicks"], 2, "view 'clicks'"),
        (
            ["train", "many-view", "--out", "{tmp}/o", "-c", "{tmp}/none.yaml"],
            2,
            "cannot read the config file",
        ),
        (["train", "many-view", "--out", "{tmp}/o", "--resume", "--overwrite"], 2, "exclude each other"),
        (["evaluate", "{tmp}"], 2, "no model at"),
        (["evaluate", "{run}", "--on", "{corpus}", "--split", "val"], 2, "val"),
        (["search", "{run}", ""], 2, "empty"),
        (["search", "{run}"], 2, "a text, a picture or both"),
        (["search", "{run}", "red", "--by", "colour"], 2, "no record here has a view 'colour', allowed: record, image"),
        (["search", "{run}", "red", "--weight", "title"], 2, "--weight title, allowed: VIEW=NUMBER, as in title=2"),
        (["search", "{run}", "red", "--weight", "colour=1"], 2, "no record here has a view 'colour'"),
        (["search", "{run}", "red", "--weight", "title=-1"], 2, "is -1, allowed: a number of 0 or more"),
        (["search", "{run}", "red", "--by", "title", "--weight", "title=2"], 2, "'title' alone ranks here"),
        (["search", "{run}", "--image", "{tmp}/no.png"], 2, "cannot read the picture"),
        (["search", "{run}", "red", "--page", "{run}/config.yaml/x"], 1, "cannot write"),
        (["views", "{corpus}", "--recipe", "nothing"], 2, "no recipe"),
        (["evaluate", "{run}", "--on", "{corpus}", "--device", "gpu"], 2, "device=gpu cannot be used here"),
        (["search", "{run}", "red", "--device", "cuda:99"], 2, "device=cuda:99 cannot be used here"),
        (["embed", "{run}", "{tmp}", "--out", "{tmp}/o", "--device", "gpu"], 2, "ends in .npz"),
        (["score", "{run}", "{corpus}", "--out", "{tmp}/o", "--device", "gpu"], 2, "device=gpu cannot be used here"),
        (["demo", "--out", "{corpus}"], 2, "something other than a demo"),
        (["train"], 2, "Missing argument"),
    ],
)
def test_mistakes_are_one_sentence_with_their_exit_code(run, trained, corpus, tmp_path, arguments, code, sentence):
    filled = [part.format(tmp=tmp_path, run=trained, corpus=corpus) for part in arguments]
    got, out, err = run(*filled)
    assert got == code
    assert sentence in err
    assert not out
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_ids_and_titles_are_printed_and_written_as_they_are(run, trained, corpus, tmp_path):
    images = [record.image for record in Corpus.open(corpus).records("test")]
    ids = ["sku[0]/[x]", "<b>sku</b>", "../../esc\x1b[31m", "[/]"]
    titles = ["shoe [red]", "mug [/]", "<script>alert(1)</script>", "lamp \x1b[31mred"]
    records = [
        Record(id, id, image, (Text("title", title, "en"),))
        for id, image, title in zip(ids, images, titles, strict=False)
    ]
    write_corpus(tmp_path / "hostile", {"test": records}, name="hostile")
    command = ["search", trained / "model", "mug", "--corpus", tmp_path / "hostile"]
    code, out, err = run(*command, "--page", tmp_path / "page.html")
    assert code == 0
    for shown in (*ids, *titles):
        assert shown.replace("\x1b", "\\x1b") in out
    assert "\x1b" not in out + err
    page = (tmp_path / "page.html").read_text()
    assert "<script>alert" not in page
    assert "<b>sku" not in page
    code, out, _ = run(*command, "--json")
    assert {hit["id"] for hit in json.loads(out)["hits"]} == set(ids)


NO_UTF8 = "x\udcff"


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", NO_UTF8, "--out", "{tmp}/o"],
        ["build", "{corpus}", "--out", "{tmp}/" + NO_UTF8],
        ["doctor", NO_UTF8],
        ["train", NO_UTF8, "--out", "{tmp}/o"],
        ["train", "many-view", "--corpus", "{corpus}", "--out", "{tmp}/" + NO_UTF8],
        ["train", "many-view", "--corpus", NO_UTF8, "--out", "{tmp}/o"],
        ["train", "many-view", "--out", "{tmp}/o", f"steps={NO_UTF8}"],
        ["train", "many-view", "--out", "{tmp}/o", "-c", NO_UTF8],
        ["evaluate", NO_UTF8],
        ["evaluate", "{run}", "--on", NO_UTF8],
        ["evaluate", "{run}", "--on", "{corpus}", "--split", NO_UTF8],
        ["search", NO_UTF8, "red"],
        ["search", "{run}", "--image", NO_UTF8],
        ["embed", "{run}", NO_UTF8, "--out", "{tmp}/f.npz"],
        ["score", "{run}", NO_UTF8, "--out", "{tmp}/s.parquet"],
        ["views", NO_UTF8],
        [NO_UTF8],
        ["train", f"--{NO_UTF8}"],
    ],
)
def test_arguments_that_are_not_utf_8_end_in_a_sentence(run, trained, corpus, tmp_path, arguments):
    filled = [part.format(tmp=tmp_path, run=trained, corpus=corpus) for part in arguments]
    code, _, err = run(*filled)
    assert code == 2
    assert "Traceback" not in err


def test_a_query_of_any_bytes_is_searched_for(run, trained):
    code, out, _ = run("search", trained, "red \udcff \x1b[31m", "--json")
    assert code == 0
    assert json.loads(out)["query"] == "red \udcff \x1b[31m"


def test_a_damaged_shard_leaves_exit_code_3(run, corpus, tmp_path):
    copy = tmp_path / "copy"
    (copy / "data").mkdir(parents=True)
    for file in corpus.rglob("*.*"):
        (copy / file.relative_to(corpus)).write_bytes(file.read_bytes())
    shard = next((copy / "data").glob("train*"))
    shard.write_bytes(bytes(shard.stat().st_size))
    code, _, err = run("train", "many-view", "--corpus", copy, "--out", tmp_path / "o", "batch_size=8")
    assert code == 3
    assert shard.name in err


def test_ctrl_c_saves_and_leaves_130(corpus, tmp_path):
    out = tmp_path / "run"
    config = load_config(TrainConfig, None, [*TINY, "steps=100000", f"corpus={corpus}"], recipe("many-view"))
    with training(config, out) as process:
        wait_for_step(process, out, 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "continue with the same command and --resume" in err
    assert "Traceback" not in err
    assert list((out / "checkpoints").glob("step-*"))


def test_embed_writes_features_and_names(run, trained, corpus, tmp_path):
    (tmp_path / "pictures").mkdir()
    for number, record in zip(range(3), Corpus.open(corpus).records("test"), strict=False):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(record.image)
    (tmp_path / "pictures" / "torn.png").write_bytes(b"torn")
    out = tmp_path / "new" / "features.npz"
    code, printed, err = run("embed", trained, tmp_path / "pictures", "--out", out, "--precision", "auto")
    assert (code, printed) == (0, f"{out}\n")
    assert "left out: torn.png, not an image" in err
    with np.load(out) as found:
        assert found["names"].tolist() == ["0.png", "1.png", "2.png"]
        assert found["features"].shape == (3, 16)
        np.testing.assert_allclose(np.linalg.norm(found["features"], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--out", "features.txt"), "allowed: a file whose name ends in .npz"),
        (("--out", "f.npz", "--precision", "int8"), "--precision int8, allowed: auto, float32, bfloat16"),
        (("--out", "f.npz"), "no images in"),
    ],
)
def test_embed_refuses_in_a_sentence(run, trained, tmp_path, arguments, sentence):
    code, _, err = run("embed", trained, tmp_path, *arguments)
    assert code == 2
    assert sentence in err


def test_embed_notices_a_place_it_cannot_write_before_it_encodes(run, trained, tmp_path, monkeypatch):
    monkeypatch.setattr("manyview.model.folder.encode_folder", lambda *_, **__: pytest.fail("it has encoded"))
    (tmp_path / "file").touch()
    code, _, err = run("embed", trained, tmp_path, "--out", tmp_path / "file" / "features.npz")
    assert code == 1
    assert "cannot write" in err


@pytest.mark.slow
def test_ctrl_c_ends_embed_in_a_word_whenever_it_comes(trained, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(1024):
        Image.new("RGB", (512, 512), (number % 256, 0, 0)).save(pictures / f"{number}.bmp")
    out = tmp_path / "features.npz"
    for after_s in (0.5, 4, 8):
        command = [sys.executable, "-m", "manyview", "embed", trained, pictures, "--out", out, "--processes", "2"]
        process = subprocess.Popen(map(str, command), stderr=subprocess.PIPE, text=True, start_new_session=True)
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (130, -signal.SIGINT, 0), err
        if after_s > 0.5:  # before that Python itself is still starting
            assert "Traceback" not in err
        assert not list(tmp_path.glob("*.partial*"))
