"""Vocabulary: the labels that a tagger is to look for, or the names of a classifier's outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig

__all__ = ["read_labels", "wanted_labels"]


def wanted_labels(config: TaggerConfig) -> tuple[str, ...]:
    """The distinct labels of a config's vocabulary, in its order. Raises UsageError where it names none."""
    given = config.vocabulary
    if given is None:
        raise UsageError(f"the tagger {config.name} looks for what it is told: give it a vocabulary, one label a line")
    listed: Iterable[str] = read_labels(given) if isinstance(given, Path) else given
    labels = tuple(dict.fromkeys(clean for label in listed if (clean := " ".join(label.split()))))
    if not labels:
        raise UsageError(f"the vocabulary of the tagger {config.name} is empty: it needs one label a line")
    return labels


def read_labels(file: Path) -> list[str]:
    """Labels of a text file, one a line, or of JSON: a list, or numbers from 0 as keys of an object.

    Lines are kept as they stand, blank ones too unless they end the file: a line's number is an output's.
    Raises UsageError for what is neither.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json":
            return _from_json(json.loads(text))
    except OSError as error:
        raise UsageError(f"cannot read the labels {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{file} holds no labels: it takes UTF-8 text with one a line, a JSON list, or a JSON object of numbers"
        ) from None
    return text.rstrip().splitlines()


def _from_json(data: list[str] | dict[str, str]) -> list[str]:
    labels = data if isinstance(data, list) else [data[str(number)] for number in range(len(data))]
    if not all(isinstance(label, str) for label in labels):
        raise TypeError
    return labels
