"""Runtime: where ONNX models run."""

from __future__ import annotations

from importlib.util import find_spec

from manyview.errors import UsageError

__all__ = ["needs", "on_cuda"]

_CUDA = "CUDAExecutionProvider"


def needs(tagger: str, *packages: str) -> None:
    """Raises UsageError where a package that a tagger needs is not installed."""
    if missing := [of for of in packages if find_spec(of) is None]:
        raise UsageError(f"the tagger {tagger} needs a package: pip install {' '.join(missing)}")


def on_cuda(device: str) -> bool:
    """Whether ONNX Runtime shall use CUDA; "auto" is where it can. Raises UsageError where it shall and cannot."""
    import onnxruntime  # noqa: PLC0415  0.3 s to import

    there = _CUDA in onnxruntime.get_available_providers()
    if device == "auto":
        return there
    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"device={device} cannot be used with ONNX Runtime, allowed: auto, cpu, cuda, cuda:0, ...")
    if kind == "cuda" and not there:
        raise UsageError(
            f"device={device}: this ONNX Runtime has no CUDA, install onnxruntime-gpu in place of onnxruntime"
        )
    return kind == "cuda"
