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
        ("steps=10", "either steps or epochs"),
        ("batch_size=1", "batch_size"),
        ("precision=float16", "precision"),
    ],
)
def test_mistakes_are_named(override, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_config(TrainConfig, None, [override], recipe("many-view"))


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no recipe named 'many', allowed: many-view"):
        recipe("many")


def test_epochs_are_counted_in_records():
    config = load_config(TrainConfig, None, ["epochs=2.5", "batch_size=10"], recipe("clip"))
    assert config.total_steps(100) == 25
    assert config.total_steps(1) == 1
