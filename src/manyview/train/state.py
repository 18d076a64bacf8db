"""TrainState: all that moves while training, and all that the next step depends on."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from manyview.corpus.fingerprint import identity
from manyview.distributed import World
from manyview.errors import UsageError
from manyview.model import DualEncoder
from manyview.train.checkpoint import Checkpoint
from manyview.train.ema import Average
from manyview.train.optimizer import Optimizers

__all__ = ["Progress", "TrainState", "seed_step"]

_MODEL, _OPTIMIZER, _AVERAGE = "model.", "optimizer.", "average."


@dataclass
class Progress:
    """How far a run is. `bad` are the reasons, by id, why images were left out; `skipped` counts steps."""

    step: int = 0
    seconds: float = 0.0
    images: int = 0
    texts: int = 0
    skipped: int = 0
    best: float | None = None
    bad: dict[str, str] = field(default_factory=dict)


@dataclass
class TrainState:
    """The model, what moves it, and how far it has come. Randomness is a function of the step: `seed_step`."""

    model: DualEncoder
    optimizer: Optimizers
    average: Average | None
    corpus_identity: int
    progress: Progress = field(default_factory=Progress)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, sharded as it is."""
        named = {f"{_MODEL}{name}": of for name, of in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                continue
            for key, of in self.optimizer.state_of(parameter).items():
                named[f"{_OPTIMIZER}{name}.{key}"] = of
        if self.average is not None:
            named |= {f"{_AVERAGE}{name}": of for name, of in self.average.weights.items()}
        return named

    def plain(self) -> dict[str, Any]:
        """What is not a tensor."""
        return {"corpus": self.corpus_identity, **asdict(self.progress)}

    def restore(self, checkpoint: Checkpoint, world: World) -> None:
        """Continue from a checkpoint of any number of processes. Raises UsageError for that of another corpus."""
        plain = checkpoint.plain()
        plain.pop("config")  # for people; the run folder has compared its own
        if plain.pop("corpus") != self.corpus_identity:
            raise UsageError(f"the corpus is not the one that {checkpoint.path.parent.parent} was trained on")
        there = self.tensors()
        parameters = dict(self.model.named_parameters())

        def place(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
            """Where a tensor belongs: the model's own, or the room that an optimizer has not yet made for its state."""
            if name in there:
                return there[name]
            if not name.startswith(_OPTIMIZER):
                raise UsageError(f"the checkpoint {checkpoint.path} holds {name}, which this run has not")
            owner, key = name.removeprefix(_OPTIMIZER).rsplit(".", 1)
            parameter = parameters[owner]
            like = parameter if shape == tuple(parameter.shape) and shape else None
            room = torch.zeros(shape, dtype=dtype, device=parameter.device) if like is None else torch.zeros_like(like)
            self.optimizer.state_of(parameter)[key] = room
            return room

        checkpoint.load(place, world)
        self.progress = Progress(**plain)


def seed_step(seed: int, step: int, rank: int) -> None:
    """Dropout and whatever else torch draws: a function of (seed, step, rank), so that nothing needs saving."""
    torch.manual_seed(identity(f"{seed} {step} {rank}".encode()) % 2**63)
