"""Corpus: records in globally shuffled Parquet shards."""

from manyview.corpus.blocks import Block
from manyview.corpus.corpus import Corpus
from manyview.corpus.manifest import Manifest, Shard
from manyview.corpus.record import Record, Text
from manyview.corpus.shard import SCHEMA, write_corpus

__all__ = ["SCHEMA", "Block", "Corpus", "Manifest", "Record", "Shard", "Text", "write_corpus"]
