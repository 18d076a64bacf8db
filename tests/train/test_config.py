"""Laws of configurations: consistent, saved = loaded, and mistakes named."""

import pytest

from manyview.config import load_config, save_config
from manyview.errors import UsageError
from manyview.train import RECIPES, TrainConfig, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_being_saved(tmp_path, name):
    save_config(recipe(name), tmp_path / "config.yaml")
    assert load_config(TrainConfig, tmp_path / "config.yaml") == recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_named_after_itself_and_documented(name):
    assert recipe(name).recipe == name
    assert RECIPES[name].__doc__


def test_the_demos_recipes_differ_in_views_and_objective_alone():
    many, sampling = (recipe(name).model_dump() for name in ("many-view", "caption-sampling"))
    assert {key for key in many if many[key] != sampling[key]} == {"recipe", "views", "objective"}
    assert len(many["views"]["images"]) == len(sampling["views"]["images"])
    assert len(many["views"]["texts"]) == len(sampling["views"]["texts"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("objective.pairs.0.query=query", "names the view 'query', views has image, title"),
        ("optimizer.learning_rat=1", "did you mean 'optimizer.learning_rate'"),
        ("epochs=null", "either steps or epochs"),
        ("batch_size=1", "batch_size"),
        ("precision=float16", "precision"),
    ],
)
def test_mistakes_are_named(override, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_config(TrainConfig, None, [override], recipe("many-view"))


@pytest.mark.parametrize(
    ("file", "overrides", "steps", "epochs"),
    [
        (None, ["steps=7"], 7, None),
        ("steps: 7", [], 7, None),
        ("epochs: 3", [], None, 3),
        ("steps: 7", ["epochs=2"], None, 2),
        ("epochs: 3", ["steps=9"], 9, None),
        ("steps: 7", ["steps=9"], 9, None),
        ("steps: 7", ["batch_size=16"], 7, None),
        ("batch_size: 16", [], None, 10),
        ("steps: 7\nepochs: null", [], 7, None),
    ],
)
def test_steps_take_the_place_of_epochs_wherever_they_are_given(tmp_path, file, overrides, steps, epochs):
    path = None if file is None else tmp_path / "given.yaml"
    if path:
        path.write_text(file)
    config = load_config(TrainConfig, path, overrides, recipe("many-view"))
    assert (config.steps, config.epochs) == (steps, epochs)


def test_steps_and_epochs_given_together_are_refused(tmp_path):
    (tmp_path / "both.yaml").write_text("steps: 7\nepochs: 3")
    for path, overrides in ((tmp_path / "both.yaml", []), (None, ["steps=7", "epochs=3"])):
        with pytest.raises(UsageError, match="either steps or epochs"):
            load_config(TrainConfig, path, overrides, recipe("many-view"))


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no recipe named 'many', allowed: many-view"):
        recipe("many")


def test_epochs_are_counted_in_records():
    config = load_config(TrainConfig, None, ["epochs=2.5", "batch_size=10"], recipe("clip"))
    assert config.total_steps(100) == 25
    assert config.total_steps(1) == 1
