"""Record vector: the views of a record, its picture and each kind of its texts, and the one vector made of them."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from manyview.corpus.record import Text, base_language
from manyview.data.languages import LanguageWeights
from manyview.data.views import ViewsConfig
from manyview.errors import UsageError
from manyview.model.config import RecordConfig

__all__ = ["IMAGE", "check_weights", "joined_views", "rendered_kinds", "text_views", "trained_record_config"]

IMAGE = "image"
_SEPARATOR = ", "
_NO_TEMPLATE = "{text}"


def rendered_kinds(texts: Sequence[Text], config: RecordConfig) -> dict[str, list[list[str]]]:
    """What a record says, by kind: for each language the strings that are encoded.

    The entries of a list kind are one string, joined by ", "; of other kinds each entry is a string. Each stands in
    its kind's template. Languages are those of `config.langs` or, for a kind that has none of these, all it has.
    """
    kinds: dict[str, list[Text]] = {}
    for text in texts:
        if text.text.strip():
            kinds.setdefault(text.kind, []).append(text)
    preferred = LanguageWeights(dict.fromkeys(config.langs, 1.0))
    return {kind: _by_language(kind, entries, config, preferred) for kind, entries in kinds.items()}


def text_views(
    texts: Sequence[Sequence[Text]], config: RecordConfig, encode: Callable[[Sequence[str]], Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(kind -> [n, d] features, kind -> bool [n] whether a record has that kind) of the texts of n records.

    The feature of a kind is the normalised mean over languages of the normalised mean over the language's strings;
    it is zero where the kind is absent. `encode` gives L2-normalised rows and is called once, with distinct strings.
    """
    rendered = [rendered_kinds(record_texts, config) for record_texts in texts]
    every_string = (string for kinds in rendered for langs in kinds.values() for strings in langs for string in strings)
    row = {string: number for number, string in enumerate(dict.fromkeys(every_string))}
    encoded = encode(list(row))
    features, present = dict[str, Tensor](), dict[str, Tensor]()
    for kind in sorted({kind for kinds in rendered for kind in kinds}):
        language_rows, record_rows = list[list[int]](), list[range]()
        for kinds in rendered:
            langs = kinds.get(kind, [])
            record_rows.append(range(len(language_rows), len(language_rows) + len(langs)))
            language_rows += [[row[string] for string in strings] for strings in langs]
        features[kind] = _unit_means(_unit_means(encoded, language_rows), record_rows)
        present[kind] = torch.tensor([kind in kinds for kinds in rendered])
    return features, present


def joined_views(
    features: Mapping[str, Tensor], present: Mapping[str, Tensor], weights: Mapping[str, float]
) -> tuple[Tensor, Tensor]:
    """(record vectors [n, d], bool [n] whether a record has a view with a weight above 0).

    A record's vector is the normalised sum of weight times feature over its present views; a view that `weights` does
    not name has the weight 1. The vector of a record without such a view is zero.
    """
    views = {view: weights.get(view, 1.0) for view in features}
    total = sum(weight * features[view] * present[view][:, None] for view, weight in views.items())
    counted = [present[view] for view, weight in views.items() if weight > 0]
    assert isinstance(total, Tensor)
    return functional.normalize(total, dim=-1), torch.stack([*counted, torch.zeros(len(total), dtype=torch.bool)]).any(
        0
    )


def check_weights(weights: Mapping[str, float]) -> None:
    """Raise UsageError for a weight that is negative or no number."""
    for view, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise UsageError(f"the weight of the view {view!r} is {weight:g}, allowed: a number of 0 or more")


def trained_record_config(given: RecordConfig, views: ViewsConfig) -> RecordConfig:
    """What a model is told of the views it is trained on: the kinds' templates, the lists, the languages.

    What `given` sets itself stays. A kind that several views read has the template of the first; the languages are
    those that any view prefers, none (which means all) where a view prefers none.
    """
    templates = dict[str, str]()
    for view in views.texts.values():
        for kind in sorted(view.named_kinds()):
            templates.setdefault(kind, view.template)
    preferred = [LanguageWeights(views.langs_of(name)).preferred for name in views.texts]
    langs = sorted({lang for some in preferred for lang in some or ()}) if all(preferred) else []
    written = {kind: template for kind, template in templates.items() if template != _NO_TEMPLATE}
    return given.model_copy(
        update={
            "templates": written | given.templates,
            "lists": given.lists if "lists" in given.model_fields_set else views.lists,
            "langs": given.langs or tuple(langs),
        }
    )


def _by_language(
    kind: str, entries: Sequence[Text], config: RecordConfig, preferred: LanguageWeights
) -> list[list[str]]:
    shares = preferred.shares({entry.lang for entry in entries})
    langs: dict[str, dict[str, None]] = {}
    for entry in entries:
        if entry.lang in shares:
            langs.setdefault(base_language(entry.lang), {})[entry.text.strip()] = None
    template = config.templates.get(kind, _NO_TEMPLATE)
    joins = kind in config.lists
    by_language = [[_SEPARATOR.join(distinct)] if joins else list(distinct) for distinct in langs.values()]
    return [[template.replace("{text}", string) for string in strings] for strings in by_language]


def _unit_means(rows: Tensor, members: Sequence[Sequence[int]]) -> Tensor:
    """For each list of row numbers the normalised mean of these rows; zero for an empty list."""
    sizes = torch.tensor([len(numbers) for numbers in members])
    owner = torch.repeat_interleave(torch.arange(len(members)), sizes)
    columns = torch.tensor([number for numbers in members for number in numbers], dtype=torch.long)
    sums = torch.zeros(len(members), rows.shape[-1]).index_add_(0, owner, rows[columns])
    return functional.normalize(sums, dim=-1)
