"""Build: what people have becomes a corpus."""

from manyview.corpus.build.claim import Mode
from manyview.corpus.build.config import BuildConfig
from manyview.corpus.build.report import BuildReport
from manyview.corpus.build.run import build

__all__ = ["BuildConfig", "BuildReport", "Mode", "build"]
