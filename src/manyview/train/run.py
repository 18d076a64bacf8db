"""Run: what a training is made of, prepared so that what is wrong is found before anything is written."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from manyview.corpus.corpus import Corpus
from manyview.corpus.fingerprint import identity
from manyview.corpus.shard_counts import TextCounts, add_text_counts
from manyview.data import BatchSource, Tokenize
from manyview.data.corpus_texts import CorpusTexts
from manyview.data.feature_store import FeatureStore
from manyview.data.streams import pass_length
from manyview.data.text_coverage import described_counts
from manyview.device import choose_device
from manyview.distributed import ALONE, World
from manyview.errors import UsageError
from manyview.model import DualEncoder, ModelConfig, WordPieceTokenizer, train_wordpiece
from manyview.model.record_vector import trained_record_config
from manyview.precision import resolve_precision
from manyview.terminal import printable
from manyview.train.cached_features import CachedFeatures, open_stores
from manyview.train.checkpoint import Saver, latest_checkpoint
from manyview.train.config import TrainConfig
from manyview.train.ema import Average
from manyview.train.metrics import Sink, log_line
from manyview.train.optimizer import build_optimizers
from manyview.train.run_folder import RunFolder
from manyview.train.sinks import check_wandb
from manyview.train.spread import Spread, spread
from manyview.train.start import (
    interpolated,
    lock_towers,
    merged,
    model_told_by_start,
    start_tokenizer,
    start_weights,
)
from manyview.train.state import TrainState

__all__ = [
    "Run",
    "batch_source",
    "corpora_of",
    "finished_weights",
    "new_model",
    "resolved",
    "texts_there",
    "tokenizer_of",
]

_SHARDS_ASKED = 16


@dataclass
class Run:
    """What a run is made of."""

    config: TrainConfig
    folder: RunFolder
    world: World
    corpora: Sequence[Corpus]
    source: BatchSource
    state: TrainState
    spread: Spread
    total: int
    saver: Saver
    stores: CachedFeatures
    sinks: Sequence[Sink] = ()
    logs: Sequence[Sink] = ()

    @classmethod
    def prepare(cls, config: TrainConfig, folder: RunFolder, world: World, *, resume: bool) -> "Run":
        if config.wandb is not None:
            check_wandb(config.wandb)
        device = world.together(lambda: choose_device(config.device))
        corpora = world.together(lambda: corpora_of(config))
        config = world.together(lambda: resolved(config))
        world.together(lambda: resolve_precision(config.precision, device))
        tokenizer = world.first(lambda: _resumed_tokenizer(config, corpora, folder, resume))

        def build() -> tuple[DualEncoder, BatchSource, CachedFeatures]:
            model = new_model(config, tokenizer, device)
            stores = open_stores(config, model, folder.features)
            tokenize = model.tokenize if stores.texts is None else stores.texts.tokens
            return model, batch_source(config, corpora, tokenize, world, stores.images), stores

        model, source, stores = world.together(build)
        model_spread = spread(
            model, world, config.parallel, recompute=config.activation_checkpointing, compiled=config.compile
        )
        average = None if config.ema_decay is None else Average(model, config.ema_decay)
        told = identity("".join(corpus.manifest.identity() for corpus in corpora).encode())
        state = TrainState(model, build_optimizers(model, config.optimizer), average, told)
        total = config.total_steps(source.pass_length)
        saver = Saver(folder.checkpoints, world, config.keep_checkpoints)
        return cls(config, folder, world, corpora, source, state, model_spread, total, saver, stores)

    def begin(self, *, resume: bool, overwrite: bool) -> None:
        """Claim the folder and leave there what the run is made of. Raises UsageError, see RunFolder.begin."""
        wordpiece = self.state.model.wordpiece
        tokenizer = None if wordpiece is None else wordpiece.tokenizer.to_str()
        self.folder.begin(self.config, tokenizer, resume=resume, overwrite=overwrite)

    def say(self, sentence: str) -> None:
        """A sentence for whoever watches."""
        if self.world.rank == 0:
            log_line(self.folder.log, sentence)
            print(printable(sentence), file=sys.stderr)

    def save(self, *, best: bool = False) -> None:
        """Begin to save."""
        self.world.together(self.saver.wait)
        plain = self.state.plain() | {"config": self.config.model_dump(mode="json")}
        self.saver.save(self.state.progress.step, self.state.tensors(), plain, best=best)


def corpora_of(config: TrainConfig) -> list[Corpus]:
    """The corpora that `config` trains on. Raises UsageError and DataError, see Corpus.open."""
    return [Corpus.open(path) for path in config.corpora]


def resolved(config: TrainConfig) -> TrainConfig:
    """`config` with the model of what it starts from. Raises UsageError and DataError for what that lacks."""
    return config.model_copy(update={"model": model_told_by_start(config.start, config.model)})


def _model_config(config: TrainConfig) -> ModelConfig:
    """The model's own configuration, with the length, templates and languages of text that it is trained on."""
    text = config.model.text
    longest = text.max_tokens or max(view.max_tokens for view in config.views.texts.values())
    record = trained_record_config(config.model.record, config.views)
    return config.model.model_copy(update={"text": text.model_copy(update={"max_tokens": longest}), "record": record})


def new_model(config: TrainConfig, tokenizer: WordPieceTokenizer | None, device: torch.device) -> DualEncoder:
    """The model that `config` begins with, what may not move frozen. Raises UsageError for views it cannot take."""
    torch.manual_seed(config.seed)
    model = DualEncoder(_model_config(config), tokenizer)
    if any(view.size for view in config.views.images.values()) and not model.image_tower.takes_any_size:
        raise UsageError(
            f"an image view has a size of its own, but {config.model.image.name} takes one size: "
            "model.image.options={dynamic_img_size: true}, or a convolutional tower"
        )
    start_weights(config.start, model)
    lock_towers(config.start, model)
    return model.to(device)


def finished_weights(
    config: TrainConfig, tokenizer: WordPieceTokenizer | None, tuned: dict[str, Tensor]
) -> dict[str, Tensor]:
    """What a run leaves, of the tensors it ended with: low-rank changes added, weights mixed with the first ones."""
    cpu = torch.device("cpu")
    if config.start.lora_rank is not None:
        adapted = new_model(config, tokenizer, cpu)
        adapted.load_state_dict(tuned)
        tuned = merged(adapted)
    if config.start.wise_ft is not None:
        first = DualEncoder(_model_config(config), tokenizer)
        start_weights(config.start, first)
        tuned = interpolated(first.state_dict(), tuned, config.start.wise_ft)
    return tuned


def batch_source(
    config: TrainConfig,
    corpora: Sequence[Corpus],
    tokenize: Tokenize,
    world: World = ALONE,
    image_features: FeatureStore | None = None,
) -> BatchSource:
    """The batches that `config` trains on. Raises UsageError for a split or views that the corpora have not."""
    if config.image_sizes and config.model.image.name != "residual":
        raise UsageError("image_sizes needs a fully convolutional tower, model.image.name=residual")
    weights = tuple(config.corpora.values())
    total = config.total_steps(pass_length(corpora, config.split, weights))
    _check_pairs(config, corpora)
    return BatchSource(
        corpora,
        config.split,
        config.views,
        tokenize,
        size=partial(config.image_size, total=total),
        batch_size=config.batch_size,
        seed=config.seed,
        window=config.window,
        source_exponent=config.source_exponent,
        weights=weights,
        lanes=config.lanes,
        rank=world.rank,
        world_size=world.size,
        image_features=image_features,
    )


def _check_pairs(config: TrainConfig, corpora: Sequence[Corpus]) -> None:
    """Raises UsageError where every pair has an image view and no record an image."""
    pairs = [pair.pair() for pair in config.objective.pairs]
    if config.needs_images and not any(corpus.image_count(config.split) for corpus in corpora):
        raise UsageError(
            f"no record of the split {config.split!r} has an image, and every pair of the recipe {config.recipe!r} "
            f"needs one ({', '.join(map(str, pairs))}): add a corpus with images, or train a recipe with a pair of two "
            "text views, such as many-view"
        )


def tokenizer_of(config: TrainConfig, corpora: Sequence[Corpus]) -> WordPieceTokenizer | None:
    """A WordPiece tokenizer trained on the split, or None for a tower that needs none."""
    if config.model.text.name == "ngrams":
        return None
    if theirs := start_tokenizer(config.start):
        return theirs
    kinds = set().union(*(view.named_kinds() for view in config.views.texts.values()))
    return train_wordpiece(CorpusTexts(corpora, config.split, kinds), config.model.text.vocab_size)


def _resumed_tokenizer(
    config: TrainConfig, corpora: Sequence[Corpus], folder: RunFolder, resume: bool
) -> WordPieceTokenizer | None:
    """The tokenizer that a run began with, or the one it is to begin with.

    Raises UsageError for a run that has learned with a tokenizer which it does not hold.
    """
    if not resume or config.model.text.name == "ngrams" or latest_checkpoint(folder.checkpoints) is None:
        return tokenizer_of(config, corpora)
    if folder.tokenizer.is_file():
        return WordPieceTokenizer.load(folder.tokenizer)
    if theirs := start_tokenizer(config.start):
        return theirs
    raise UsageError(
        f"the run at {folder.path} keeps no {folder.tokenizer.name}: an earlier version of manyview began it, and this "
        "one would number words otherwise; finish it with the version in its env.json, or replace it with --overwrite"
    )


def texts_there(config: TrainConfig, corpora: Sequence[Corpus]) -> str:
    """A sentence on what texts the corpora have: those that manifests count, else those of the first shards."""
    counts: TextCounts = {}
    for corpus in corpora:
        shards = corpus.manifest.splits.get(config.split, [])
        counted = None if all(shard.texts is not None for shard in shards) else _SHARDS_ASKED
        for of_shard in islice(corpus.shard_text_counts(config.split), counted):
            add_text_counts(counts, of_shard)
    return f"The split {config.split!r} has {described_counts(counts)}."
