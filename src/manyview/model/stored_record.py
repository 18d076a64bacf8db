"""Stored record: the weights of a record's views, kept in a model's config.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from manyview.errors import DataError, ManyviewError
from manyview.model.dual_encoder import CONFIG_FILE, find_model
from manyview.model.record_vector import check_weights

__all__ = ["store_record_weights"]


def store_record_weights(path: str | Path, weights: Mapping[str, float]) -> Path:
    """Write the weights into the config.json of a model or run, whose other values stay, and return the file.

    Raises UsageError where there is no model and for bad weights, DataError for a damaged config.json.
    """
    check_weights(weights)
    file = find_model(path) / CONFIG_FILE
    try:
        config = json.loads(file.read_bytes())
        config["record"] = {**config.get("record", {}), "weights": dict(weights)}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is damaged: {error}") from None
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise ManyviewError(f"cannot write {file}: {error.strerror or error}") from error
    return file
