"""Config of phrases."""

from __future__ import annotations

from pydantic import Field

from manyview.config import Config

__all__ = ["PhraseConfig"]


class PhraseConfig(Config):
    """Which texts are read with what, and what is written."""

    kinds: tuple[str, ...] = Field(
        default=("caption", "title"), description="kinds of texts that are read", min_length=1
    )
    kind: str = Field(default="tags", description="kind of the views written", min_length=1)
    spacy: dict[str, str] = Field(
        default_factory=dict,
        description="spaCy pipelines by language, installed ones or folders, as {en: en_core_web_sm}; "
        "without one, English is read by rules that know no grammar and Chinese by jieba",
    )
    default_lang: str = Field(
        default="en", description="of texts in no known language that are not in Chinese characters"
    )
    top: int = Field(default=20, description="phrases of a text at most", ge=1)
    max_words: int = Field(default=4, description="words of a phrase at most; of a longer one the last", ge=1)
    exclude: tuple[str, ...] = Field(default=(), description="phrases that never become tags")
    template: str | None = Field(
        default=None,
        description="one view a text, as in 'The picture contains {tags}.'; null: one a phrase",
        pattern=r"\{tags\}",
    )
