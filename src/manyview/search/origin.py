"""The origin of an index: digests that change when the model or the corpus does, wherever they lie."""

import hashlib
from pathlib import Path

from manyview.corpus import Corpus
from manyview.corpus.manifest import file_digest
from manyview.search.layout import Origin

__all__ = ["corpus_origin", "model_origin"]

_MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def model_origin(folder: Path) -> Origin:
    """Digest of the config, weights and tokenizer in a model folder."""
    digest = hashlib.sha256()
    for file in (folder / name for name in _MODEL_FILES):
        if file.is_file():
            digest.update(f"{file.name} {file_digest(file)}\n".encode())
    return Origin(path=str(folder.resolve()), sha256=digest.hexdigest())


def corpus_origin(corpus: Corpus) -> Origin:
    """Digest of the manifest, and of the shards themselves where it does not vouch for them."""
    digest = hashlib.sha256(corpus.manifest.identity().encode())
    for shards in corpus.manifest.splits.values():
        for shard in shards:
            if not shard.sha256:
                digest.update(file_digest(corpus.folder / shard.file).encode())
    return Origin(path=str(corpus.folder.resolve()), sha256=digest.hexdigest())
