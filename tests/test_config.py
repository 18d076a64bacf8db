from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from manyview.config import Config, config_schema, load_config, save_config
from manyview.errors import UsageError


class Schedule(Config):
    lr: float = Field(1e-3, gt=0, description="peak learning rate")
    steps: int = Field(100, ge=1, description="optimizer updates")
    warmup_steps: int = Field(10, ge=0)

    @model_validator(mode="after")
    def _warmup_fits(self) -> "Schedule":
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps={self.warmup_steps} is more than steps={self.steps}")
        return self


class View(Config):
    kinds: tuple[str, ...] = ()
    template: str = ""


class Run(Config):
    name: str = "run"
    seed: int = 0
    note: str | None = None
    negatives: Literal["ignore", "positive", "off"] = "ignore"
    train: Schedule = Schedule()
    views: dict[str, View] = Field(default_factory=dict)
    pairs: tuple[View, ...] = ()
    folder: Path | None = None
    shares: dict[str, float] = Field(default_factory=dict)


class Strict(Config):
    size: int


class Either(Config):
    shape: View | Schedule = View()


class Begin(Config):
    alternatives = (("model", "tower"),)

    model: str | None = None
    tower: str | None = None
    rate: float = 1.0


class Whole(Config):
    start: Begin = Begin()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(*overrides: str, path: Path | None = None, cls: type[Config] = Run) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(cls, path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_later_sources_win_and_mappings_merge_key_by_key(tmp_path: Path) -> None:
    path = write(tmp_path, "train: {lr: 0.5, steps: 7}\nseed: 3\n")
    config = load_config(Run, path, ["train.steps=9"], {"name": "base", "train": {"lr": 1.0, "warmup_steps": 2}})
    assert (config.name, config.seed) == ("base", 3)
    assert config.train == Schedule(lr=0.5, steps=9, warmup_steps=2)


@given(st.builds(Schedule, lr=st.floats(1e-9, 1e9), steps=st.integers(1, 10**9), warmup_steps=st.just(0)))
def test_defaults_alone_are_the_config(schedule: Schedule) -> None:
    assert load_config(Run, defaults=Run(train=schedule)) == Run(train=schedule)


def test_overrides_do_not_write_into_the_defaults() -> None:
    defaults: Mapping[str, object] = {"train": {"steps": 50}, "pairs": [{"template": "a"}]}
    load_config(Run, overrides=["train.steps=60", "pairs.0.template=b"], defaults=defaults)
    assert defaults == {"train": {"steps": 50}, "pairs": [{"template": "a"}]}


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("train.lr=1e-4", lambda c: c.train.lr, 1e-4),
        ("note=", lambda c: c.note, None),
        ("note=null", lambda c: c.note, None),
        ("negatives=off", lambda c: c.negatives, "off"),
        ("name=no", lambda c: c.name, "no"),
        ("name='12'", lambda c: c.name, "12"),
        ("note=A picture: new", lambda c: c.note, "A picture: new"),
        ("name=*star", lambda c: c.name, "*star"),
        ("name=a=b", lambda c: c.name, "a=b"),
        ("note=A picture: {tags}.", lambda c: c.note, "A picture: {tags}."),
        ("note=一张图片：{tags}", lambda c: c.note, "一张图片：{tags}"),
        ("views.image.2.template=x", lambda c: c.views["image.2"].template, "x"),
        ("views.new.kinds=[title, tags]", lambda c: c.views["new"].kinds, ("title", "tags")),
        ("pairs.1.template=z", lambda c: [v.template for v in c.pairs], ["a", "z"]),
        ("views={}", lambda c: list(c.views), []),
    ],
)
def test_an_override_is_yaml_at_a_dotted_key(override: str, read, value: object) -> None:  # type: ignore[no-untyped-def]
    defaults = {"views": {"image.2": {}}, "pairs": [{"template": "a"}, {"template": "b"}]}
    if override == "views={}":
        defaults.pop("views")
    assert read(load_config(Run, overrides=[override], defaults=defaults)) == value


texts = st.text(max_size=20) | st.sampled_from(
    [
        "off",
        "yes",
        "null",
        "~",
        "",
        "1e-4",
        "12:30",
        "2024-01-01",
        "0x1f",
        "017",
        "1_000",
        ".inf",
        "<<",
        "=",
        "#",
        "- a",
        "a\x85b",
        "a\u2028b\r\n",
    ]
)
views = st.builds(View, kinds=st.lists(texts, max_size=3).map(tuple), template=texts)
runs = st.builds(
    Run,
    name=texts,
    seed=st.integers(-(10**12), 10**12),
    note=st.none() | texts,
    negatives=st.sampled_from(["ignore", "positive", "off"]),
    train=st.builds(Schedule, lr=st.floats(1e-300, 1e300), steps=st.integers(1, 10**9), warmup_steps=st.just(0)),
    views=st.dictionaries(texts, views, max_size=3),
    pairs=st.lists(views, max_size=2).map(tuple),
    folder=st.none() | st.just(Path("a folder/ü")),
    shares=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)


@given(config=runs)
def test_a_saved_config_loads_back_equal(config: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("config", numbered=True) / "config.yaml"
    save_config(config, path)
    assert load_config(Run, path) == config


def test_an_unknown_override_suggests_the_nearest_key_over_the_whole_path() -> None:
    assert complaint("train.lrr=1") == (
        "unknown key 'train.lrr': did you mean 'train.lr'? allowed: train.lr, train.steps, train.warmup_steps"
    )
    assert "did you mean 'train.warmup_steps'?" in complaint("warmup_step=1")
    assert "unknown key 'trian.lr': did you mean" not in complaint("trian.lr=1")
    assert "unknown key 'trian': did you mean 'train'?" in complaint("trian.lr=1")


def test_a_key_like_nothing_gets_the_list_and_no_suggestion() -> None:
    message = complaint("qqqqqq=1", cls=Strict)
    assert "unknown key 'qqqqqq', allowed: size" in message
    assert "did you mean" not in message


def test_keys_inside_dicts_and_lists_are_checked_too() -> None:
    assert "unknown key 'views.tags.kind': did you mean 'views.tags.kinds'?" in complaint("views.tags.kind=1")
    assert "unknown key 'pairs.0.kind': did you mean 'pairs.0.kinds'?" in complaint("pairs=[{kind: 1}]")


def test_the_members_of_a_union_are_no_part_of_the_key() -> None:
    assert "key 'shape.lr' got 'fast', allowed: a valid number" in complaint("shape.lr=fast", cls=Either)


def test_an_unknown_key_in_a_file_names_the_file_and_in_an_override_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, "train: {lrr: 1}\n")
    assert complaint(path=path).startswith(f"{path}: unknown key 'train.lrr'")
    assert complaint("seeed=1", path=write(tmp_path, "seed: 1")).startswith("unknown key 'seeed'")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.steps=many", "key 'train.steps' got 'many', allowed: a valid integer"),
        ("train.steps=0", "key 'train.steps' got 0, allowed: greater than or equal to 1"),
        ("negatives=on", "key 'negatives' got 'on', allowed: 'ignore', 'positive' or 'off'"),
        ("train.lr=.nan", "key 'train.lr' got nan, allowed: a finite number"),
        ("train.warmup_steps=1000", "train: warmup_steps=1000 is more than steps=100"),
        ("train=3", "key 'train' got 3, allowed: a valid dictionary or instance of Schedule"),
        ("steps", "the override 'steps' is not of the form key=value, as in train.steps=100"),
        ("train..lr=1", "the override 'train..lr=1' is not of the form key=value, as in train.steps=100"),
        ("name={a", "the value in 'name={a' is not YAML: close what it opens"),
        ("pairs=[{}]", None),
    ],
)
def test_a_wrong_value_says_key_got_and_allowed(override: str, said: str | None) -> None:
    if said is None:
        load_config(Run, overrides=[override])
    else:
        assert complaint(override) == said


def test_a_place_outside_a_list_is_refused() -> None:
    for override in ("pairs.1.template=x", "pairs.x=1"):
        with pytest.raises(UsageError, match=r"not a place in a list of 1, counted from 0"):
            load_config(Run, overrides=[override], defaults={"pairs": [{}]})


def test_a_missing_key_is_named() -> None:
    assert complaint(cls=Strict) == "the key 'size' is missing: give it as size=VALUE or in the config file"


def test_many_mistakes_become_one_sentence_of_three() -> None:
    message = complaint("aa=1", "bb=1", "cc=1", "dd=1", "ee=1")
    assert message.count("unknown key") == 3
    assert message.endswith("and 2 more")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1\ntrain: [\n", ", line 3: not YAML"),
        ("seed: 1\nseed: 2\n", ", line 2: not YAML: the key 'seed' is given twice"),
        ("? [a]\n: 1\n", ", line 1: not YAML: found unhashable key"),
        ("- a\n", " holds a list, allowed: a mapping of keys to values"),
        ("name: \x07\n", ": not YAML"),
    ],
)
def test_a_file_that_is_no_config_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    assert complaint(path=path).startswith(f"{path}{said}")


def test_unreadable_files_are_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert complaint(path=missing) == f"cannot read the config file {missing}: No such file or directory"
    assert "Is a directory" in complaint(path=tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: Bär".encode("latin-1"))
    assert "is not UTF-8 text (byte 7)" in complaint(path=tmp_path / "latin.yaml")


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_config(Run, write(tmp_path, "# nothing\n")) == Run()


def test_configs_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Run().seed = 1  # type: ignore[misc]


def test_descriptions_reach_the_schema() -> None:
    schema = config_schema(Run)
    assert schema["$defs"]["Schedule"]["properties"]["lr"]["description"] == "peak learning rate"
    assert schema["additionalProperties"] is False


def test_the_alternatives_of_a_config_within_a_config_give_way_too(tmp_path):
    defaults = {"start": {"tower": "a", "rate": 2.0}}
    path = write(tmp_path, "start: {model: b}\n")
    for config in (load_config(Whole, path, (), defaults), load_config(Whole, None, ["start.model=b"], defaults)):
        assert config == Whole(start=Begin(model="b", rate=2.0))
    assert load_config(Whole, path, ["start.tower=c"], defaults).start == Begin(tower="c", rate=2.0)
    assert load_config(Whole, None, ["start.rate=3"], defaults).start == Begin(tower="a", rate=3.0)
    assert defaults == {"start": {"tower": "a", "rate": 2.0}}
