import os
import subprocess
import sys

import pytest

import manyview

HEAVY = ("numpy", "torch", "torchvision", "transformers", "timm", "pyarrow", "PIL", "pydantic")


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = f"import sys, manyview; print([m for m in {HEAVY} if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_public_surface_is_the_documented_one() -> None:
    assert manyview.__all__ == ["DualEncoder", "__version__"]
    assert set(manyview.__all__) <= set(dir(manyview))


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="DualEncode"):
        _ = manyview.DualEncode


def test_the_encoder_is_fetched_from_its_home() -> None:
    from manyview.model import DualEncoder

    assert manyview.DualEncoder is DualEncoder
