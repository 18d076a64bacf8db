"""TrainConfig: everything that decides what a run computes."""

from typing import Literal, Self

from pydantic import Field, model_validator

from manyview.config import Config
from manyview.data.views import ViewsConfig
from manyview.model.config import ModelConfig
from manyview.objective import FalseNegatives, Pair
from manyview.train.spread import Parallel
from manyview.train.start import StartConfig

__all__ = ["ObjectiveConfig", "OptimizerConfig", "PairConfig", "TrainConfig"]


_RESUMABLE = {
    *("device", "workers", "parallel", "activation_checkpointing", "compile", "chunk_size", "log_every"),
    *("save_every", "save_minutes", "keep_checkpoints", "patience_s", "max_bad_share", "tensorboard", "wandb"),
}
_EVALUATION = {"evaluate_every", "evaluate_split", "evaluate_score"}


class PairConfig(Config):
    """A directed pair of views."""

    query: str = Field(description="The view that asks.")
    key: str = Field(description="The view among whose entries the answer is.")
    weight: float = Field(1.0, ge=0, description="Factor of this pair's loss.")

    def pair(self) -> Pair:
        """The pair as the objective takes it."""
        return Pair(self.query, self.key, self.weight)


class ObjectiveConfig(Config):
    """The loss: InfoNCE summed over pairs of views."""

    pairs: tuple[PairConfig, ...] = Field(min_length=1, description="Directed pairs; list both directions for both.")
    false_negatives: FalseNegatives = Field(
        "ignore",
        description="What samples with the same image or text are to each other: dropped from the "
        "denominator (ignore), positives too (positive), or negatives (off, as in the paper).",
    )


class OptimizerConfig(Config):
    """AdamW, or Muon for the matrices, with warm-up and a cosine to zero."""

    name: Literal["adamw", "muon"] = Field("adamw", description="muon: for matrices, with AdamW for the rest.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate.")
    text_multiplier: float = Field(1.0, gt=0, description="Text tower's learning rate, relative.")
    scale_multiplier: float = Field(1.0, gt=0, description="logit_scale's learning rate, relative.")
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="Learning rate of a layer relative to that of the next one up (fine-tuning)."
    )
    weight_decay: float = Field(0.1, ge=0, description="On matrices; not on biases, norms, embeddings, logit_scale.")
    betas: tuple[float, float] = Field((0.9, 0.98), description="AdamW's decay rates.")
    warmup_steps: int = Field(30, ge=0, description="Steps of linear warm-up.")
    clip_norm: float = Field(5.0, gt=0, description="Largest gradient norm over all parameters.")


class TrainConfig(Config):
    """A run. Two runs with equal configs, corpus and machine end with equal weights."""

    alternatives = (("steps", "epochs"),)

    recipe: str = Field(description="Name of the recipe this config began as.")
    corpus: str | dict[str, float] = Field(
        "starter",
        description="Folder of the corpus (a path, or scheme:// of fsspec), or starter, glossary; several with their "
        "weights are read side by side, each with that part of every batch.",
    )
    split: str = Field("train", description="Split to train on.")
    seed: int = Field(0, description="Seeds the weights, the order, and every sample's views.")
    steps: int | None = Field(None, ge=1, description="Optimizer steps; or give epochs.")
    epochs: float | None = Field(
        None,
        gt=0,
        description="Passes over the split's records with an image (over all where none has one); or give steps.",
    )
    batch_size: int = Field(256, ge=2, description="Records a step, over all processes.")
    source_exponent: float = Field(
        1.0,
        ge=0,
        le=1,
        description="A source's share of each batch goes with its number of records to this power: 1 as they "
        "are, each record once an epoch; 0 all sources alike.",
    )
    chunk_size: int | None = Field(
        None,
        ge=1,
        description="Records encoded at a time (gradient caching): any batch_size in the memory of so many, "
        "for one more forward pass; the gradient is the same. Empty: all at once.",
    )
    views: ViewsConfig = Field(description="What is drawn from each record.")
    objective: ObjectiveConfig = Field(description="What the views must agree on.")
    model: ModelConfig = Field(default_factory=ModelConfig, description="The dual encoder.")
    start: StartConfig = Field(default_factory=StartConfig, description="What to begin with, for fine-tuning.")
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig, description="How the weights move.")
    image_sizes: dict[float, int] = Field(
        default_factory=dict,
        description="Progressive resizing: from this share of the run on, images of this side (fully "
        "convolutional towers only); empty: model.image.size throughout.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto: bfloat16 autocast on GPUs and on CPUs with matrix units (AMX), else float32; "
        "the environment variable MANYVIEW_PRECISION decides instead where it is set.",
    )
    device: str = Field("auto", description="auto: cuda where there is one, else cpu.")
    workers: int = Field(1, ge=0, description="Processes that make batches; the batches do not depend on it.")
    lanes: int = Field(
        1,
        ge=1,
        description="Parts in which a corpus is read side by side. A multiple of the number of processes lets each "
        "open its own files only; each part then counts its own epochs.",
    )
    window: int = Field(
        16, ge=1, description="Row groups shuffled together, and kept in memory; fixed for the whole run."
    )
    parallel: Parallel = Field(
        "ddp", description="Several processes: the whole model on each (ddp), or a part of each layer (fsdp)."
    )
    activation_checkpointing: bool = Field(
        False, description="Compute activations again in the backward pass instead of keeping them."
    )
    compile: bool = Field(False, description="torch.compile for the layers that repeat.")
    ema_decay: float | None = Field(
        None, gt=0, lt=1, description="Average the weights over the steps with this decay; the average is what is kept."
    )
    log_every: int = Field(10, ge=1, description="Steps between lines of metrics.jsonl.")
    evaluate_every: int | None = Field(
        None, ge=1, description="Steps between evaluations; the best checkpoint is kept. Empty: none."
    )
    evaluate_split: str = Field(
        "val", description="Split that is evaluated while training, and on which record weights are learned at its end."
    )
    evaluate_score: Literal["pictures", "records", "mean"] = Field(
        "pictures",
        description="What chooses the best checkpoint: R@10 of pictures by all texts, of records by new words, or the "
        "mean of both.",
    )
    keep_best: bool = Field(
        False, description="The run's model is that of the best evaluation; else that of the last step."
    )
    save_every: int = Field(200, ge=1, description="Steps between checkpoints.")
    save_minutes: float | None = Field(15.0, gt=0, description="Minutes between checkpoints at most.")
    keep_checkpoints: int = Field(2, ge=1, description="Checkpoints kept, the newest ones; the best stays besides.")
    max_bad_share: float = Field(0.05, ge=0, le=1, description="Share of undecodable images above which a run stops.")
    tensorboard: bool = Field(True, description="Write tb/ for TensorBoard, where it is installed.")
    wandb: str | None = Field(None, description="Project of Weights & Biases to log to, where it is installed.")
    patience_s: float = Field(300.0, gt=0, description="Seconds without a batch after which the loader has failed.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        if not self.corpora or min(self.corpora.values()) <= 0:
            raise ValueError("corpus must name at least one corpus, with weights above 0")
        if self.start.wise_ft is not None and self.start.model is None:
            raise ValueError("start.wise_ft needs start.model, whose weights it mixes in")
        if self.start.cache:
            self._check_cached()
        if self.keep_best and self.evaluate_every is None:
            raise ValueError("keep_best needs evaluate_every")
        for pair in self.objective.pairs:
            for view in (pair.query, pair.key):
                if view not in self.views.names:
                    raise ValueError(
                        f"objective.pairs names the view {view!r}, views has {', '.join(self.views.names)}"
                    )
        return self

    def _check_cached(self) -> None:
        """What a cache of features asks of the views."""
        if not self.start.lock:
            raise ValueError("start.cache keeps what locked towers give: name them with start.lock")
        changing = [name for name, view in self.views.images.items() if view.augment != "none" or view.size]
        if "image" in self.start.lock and (changing or self.image_sizes):
            raise ValueError(
                "start.cache keeps one rendering of an image: give augment=none and no size to the image views, and no "
                f"image_sizes (got {changing or self.image_sizes})"
            )
        if "text" in self.start.lock and self.views.renderings is None:
            raise ValueError("start.cache needs views.renderings, the number of renderings of a text that it keeps")

    @property
    def resumable_keys(self) -> set[str]:
        """Keys that may differ when the run is resumed: its weights do not depend on them."""
        return _RESUMABLE if self.keep_best else _RESUMABLE | _EVALUATION

    @property
    def corpora(self) -> dict[str, float]:
        """Each corpus with its weight."""
        return {self.corpus: 1.0} if isinstance(self.corpus, str) else self.corpus

    @property
    def needs_images(self) -> bool:
        """Whether every pair of the objective has an image view."""
        return all({pair.query, pair.key} & set(self.views.images) for pair in self.objective.pairs)

    def total_steps(self, records: float) -> int:
        """Optimizer steps of the whole run, when one pass takes so many records (see `pass_length`)."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return max(1, round(self.epochs * records / self.batch_size))

    def image_size(self, step: int, total: int) -> int:
        """Side of the images of step `step` (from 0) of `total`, in pixels."""
        begun = [side for share, side in sorted(self.image_sizes.items()) if step >= share * total]
        return begun[-1] if begun else self.model.image.size
