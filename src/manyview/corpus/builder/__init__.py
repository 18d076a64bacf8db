"""Build: what people have becomes a corpus."""

from manyview.corpus.builder.claim import Mode
from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.builder.report import BuildReport
from manyview.corpus.builder.run import build

__all__ = ["BuildConfig", "BuildReport", "Mode", "build"]
