"""Head: what a tower gives becomes a vector of the shared space."""

from torch import Tensor, nn

from manyview.model.config import HeadConfig

__all__ = ["MLPHead", "build_head"]


class MLPHead(nn.Module):
    """A linear map, plus an MLP over the normalised input that begins at zero: at first it is the linear map."""

    def __init__(self, width: int, embed_dim: int, config: HeadConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(width, embed_dim, bias=False)
        self.drop = nn.Dropout(config.dropout / 2)
        last = nn.Linear(config.hidden, embed_dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, config.hidden), nn.GELU(), nn.Dropout(config.dropout), last
        )

    def forward(self, x: Tensor) -> Tensor:
        """[n, embed_dim] from [n, width]."""
        x = self.drop(x)
        projected: Tensor = self.linear(x) + self.mlp(x)
        return projected


def build_head(width: int, embed_dim: int, config: HeadConfig) -> nn.Module:
    """The head a config describes, with random weights; without an MLP one linear layer."""
    return MLPHead(width, embed_dim, config) if config.hidden else nn.Linear(width, embed_dim, bias=False)
