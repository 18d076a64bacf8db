"""Configs are frozen pydantic models: a YAML file, then `key=value` overrides, then one sentence if wrong."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from manyview.errors import UsageError
from manyview.yaml12 import dump_yaml, load_yaml

__all__ = ["Config", "config_schema", "load_config", "save_config"]

_SHOWN = 3
_QUOTED = ("{", "[", "'", '"')


class Config(BaseModel):
    """What a user may set: frozen, unknown keys forbidden; each field's description goes into the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of keys that exclude each other: who gives one takes away what defaults or a file gave for the others."""


ConfigT = TypeVar("ConfigT", bound=Config)


def load_config(
    cls: type[ConfigT],
    path: str | Path | None = None,
    overrides: Sequence[str] = (),
    defaults: Mapping[str, Any] | Config | None = None,
) -> ConfigT:
    """The config of `defaults`, then the YAML file at `path`, then `overrides` ("train.lr=1e-4"): later wins.

    Mappings merge key by key, anything else is replaced; so are a config's `alternatives`. An override's value is
    YAML; a number in its key is a place in a list. Raises UsageError.
    """
    path = None if path is None else Path(path)
    base = defaults.model_dump(mode="json") if isinstance(defaults, Config) else dict(defaults or {})
    from_file = {} if path is None else _read(path)
    tree = _merge(base, from_file)
    _clear_alternatives(cls, tree, from_file)
    parsed = [_parse_override(override) for override in overrides]
    for key, value in parsed:
        _assign(tree, key, value)
    _clear_alternatives(cls, tree, dict(parsed))
    overridden = [key for key, _ in parsed]
    try:
        return cls.model_validate(tree)
    except ValidationError as error:
        places = _Places(cls, tree, path, from_file, tuple(overridden))
        raise UsageError(places.sentence(error)) from None


def save_config(config: Config, path: str | Path) -> None:
    """Write YAML that `load_config` reads back equal."""
    Path(path).write_text(dump_yaml(config.model_dump(mode="json")), encoding="utf-8")


def config_schema(cls: type[Config]) -> dict[str, Any]:
    """The JSON schema of a config, for editors and for help."""
    return cls.model_json_schema()


def _read(path: Path) -> dict[str, Any]:
    try:
        data = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the config file {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}), so it is not a config") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"{path}{line}: not YAML: {problem}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{path} holds a {type(data).__name__}, allowed: a mapping of keys to values")
    return data


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _clear_alternatives(cls: type[Config], tree: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Of keys that exclude each other, those that a file or the overrides do not name give way to the one they set."""
    for group in cls.alternatives:
        if any(given.get(key) is not None for key in group):
            tree |= {key: None for key in group if key not in given}
    for name, field in cls.model_fields.items():
        inner = tree.get(name)
        if isinstance(inner, Mapping):
            tree[name] = dict(inner)
            for nested in _models_in(field.annotation):
                _clear_alternatives(nested, tree[name], _given_within(name, given))


def _given_within(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given of the keys below `name`, as a mapping or by dotted keys."""
    whole = given.get(name)
    dotted = {key.removeprefix(f"{name}."): of for key, of in given.items() if key.startswith(f"{name}.")}
    return {**(whole if isinstance(whole, Mapping) else {}), **dotted}


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise UsageError(f"the override {override!r} is not of the form key=value, as in train.steps=100")
    try:
        value = load_yaml(text)
    except yaml.YAMLError:
        if text.lstrip()[:1] not in _QUOTED:
            return key, text
        raise UsageError(f"the value in {override!r} is not YAML: close what it opens") from None
    if isinstance(value, dict | list) and text.lstrip()[:1] not in _QUOTED:
        return key, text  # "template=A picture: {tags}" means the text, not a mapping
    return key, value


def _assign(tree: dict[str, Any], dotted: str, value: Any) -> None:
    node: Any = tree
    keys = _segments(tree, dotted)
    for i, key in enumerate(keys):
        if isinstance(node, list) and not _has(node, key):
            raise UsageError(f"{key!r} in {dotted!r} is not a place in a list of {len(node)}, counted from 0")
        if i == len(keys) - 1:
            node[key] = value
        else:
            node[key] = _copied(node[key] if _has(node, key) else None)
            node = node[key]


def _copied(node: Any) -> dict[str, Any] | list[Any]:
    if isinstance(node, list | tuple):
        return list(node)
    return dict(node) if isinstance(node, Mapping) else {}


def _segments(tree: Mapping[str, Any], dotted: str) -> list[str | int]:
    """The keys of a dotted path; a key that itself holds dots ("image.2") wins when the tree has it."""
    node: Any = tree
    parts, segments = dotted.split("."), list[str | int]()
    while parts:
        taken = next((n for n in range(len(parts), 0, -1) if _has(node, ".".join(parts[:n]))), 1)
        key: str | int = ".".join(parts[:taken])
        if isinstance(node, list | tuple) and str(key).isdecimal():
            key = int(key)
        node = node[key] if _has(node, key) else None
        segments.append(key)
        parts = parts[taken:]
    return segments


def _has(node: Any, key: str | int) -> bool:
    if isinstance(node, Mapping):
        return key in node
    return isinstance(node, list | tuple) and str(key).isdecimal() and int(key) < len(node)


class _Places:
    """Turns pydantic's findings into sentences that name the key, its file and what is allowed."""

    def __init__(
        self,
        cls: type[Config],
        tree: Mapping[str, Any],
        path: Path | None,
        from_file: Mapping[str, Any],
        overridden: tuple[str, ...],
    ) -> None:
        self.cls, self.tree, self.path, self.from_file, self.overridden = (
            cls,
            tree,
            path,
            from_file,
            overridden,
        )

    def sentence(self, error: ValidationError) -> str:
        found = [self._one(detail) for detail in error.errors(include_url=False)]
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return "; ".join(dict.fromkeys(found[:_SHOWN] + more))

    def _one(self, detail: Any) -> str:
        segments = self._in_tree(detail["loc"])
        dotted = ".".join(map(str, segments))
        where = f"{self.path}: " if self._stands_in_file(segments, dotted) else ""
        if detail["type"] == "extra_forbidden":
            return where + self._unknown(segments, dotted)
        if detail["type"] == "missing":
            return f"the key {dotted!r} is missing: give it as {dotted}=VALUE or in the config file"
        message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        message = message.replace("Input should be ", "allowed: ").split(", unable to parse")[0]
        if isinstance(detail["input"], Mapping):
            return f"{where}{dotted + ': ' if dotted else ''}{message}"
        return f"{where}key {dotted!r} got {detail['input']!r}, {message}"

    def _in_tree(self, loc: Sequence[str | int]) -> list[str | int]:
        """pydantic's location without the names of union members that it mixes in."""
        node: Any = self.tree
        segments = []
        for i, key in enumerate(loc):
            if _has(node, key):
                node = node[key]
            elif not (isinstance(node, Mapping) and i == len(loc) - 1):
                continue
            segments.append(key)
        return segments

    def _stands_in_file(self, segments: Sequence[str | int], dotted: str) -> bool:
        node: Any = self.from_file
        for key in segments:
            if not _has(node, key):
                return False
            node = node[key]
        by_hand = any(f"{dotted}.".startswith(f"{key}.") for key in self.overridden)
        return self.path is not None and not by_hand

    def _unknown(self, segments: Sequence[str | int], dotted: str) -> str:
        prefix = "".join(f"{key}." for key in segments[:-1])
        siblings = [prefix + name for model in self._models_at(segments[:-1]) for name in model.model_fields]
        guess = _closest(dotted, [*siblings, *_dotted_keys(self.cls)])
        hint = f": did you mean {guess!r}?" if guess else ","
        return f"unknown key {dotted!r}{hint} allowed: {', '.join(dict.fromkeys(siblings))}"

    def _models_at(self, segments: Sequence[str | int]) -> list[type[Config]]:
        models: list[type[Config]] = [self.cls]
        for key in segments:  # a list index or the key of a dict leaves the models as they are
            fields = [m.model_fields[key].annotation for m in models if key in m.model_fields]
            if fields:
                models = [model for field in fields for model in _models_in(field)]
        return models


def _models_in(annotation: Any) -> list[type[Config]]:
    """The configs an annotation speaks of, through unions, lists and dicts."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _dotted_keys(cls: type[Config], prefix: str = "", above: tuple[type[Config], ...] = ()) -> Iterator[str]:
    for name, field in cls.model_fields.items():
        yield prefix + name
        for model in _models_in(field.annotation):
            if model not in above:
                yield from _dotted_keys(model, f"{prefix}{name}.", (*above, cls))


def _closest(wrong: str, allowed: Sequence[str]) -> str | None:
    """The allowed key most like the wrong one, over the whole path or its last part alone."""

    def likeness(key: str) -> tuple[float, float]:
        whole = difflib.SequenceMatcher(None, wrong, key).ratio()
        last = difflib.SequenceMatcher(None, wrong.rpartition(".")[2], key.rpartition(".")[2]).ratio()
        return max(whole, last), whole

    best = max(allowed, key=likeness, default=None)
    return best if best is not None and likeness(best)[0] >= 0.6 else None
