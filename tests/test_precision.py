"""Laws of precision: what "auto" means, and which products a loss in bfloat16 makes."""

import pytest
import torch
from torch.nn.functional import normalize
from torch.utils._python_dispatch import TorchDispatchMode

from manyview.errors import ManyviewError, UsageError
from manyview.objective import both_ways, multi_view_loss, multi_view_sigmoid_loss, plain_multi_view_loss
from manyview.precision import PRECISION_VARIABLE, autocast, has_fast_bfloat16, products_in, resolve_precision

CPU = torch.device("cpu")
MATMUL = torch.backends.mkldnn.matmul
PAIRS = both_ways("image", "title", 0.5)


@pytest.fixture
def matrix_units(monkeypatch):
    """Whether the processor reports matrix units for bfloat16; and nothing else that is fast at it."""

    def report(reported):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: reported)
        monkeypatch.setattr(torch.cpu, "get_capabilities", dict)

    return report


class Products(TorchDispatchMode):
    """Notes the setting under which each matrix product of a loss is made.

    Where that is "bf16", operands are rounded to bfloat16 first, as matrix units do and other processors do not.
    """

    def __init__(self):
        super().__init__()
        self.settings = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function in (torch.ops.aten.mm.default, torch.ops.aten.addmm_.default):
            self.settings.append(MATMUL.fp32_precision)
            if MATMUL.fp32_precision == "bf16":
                args = [*args[:-2], *(of.bfloat16().to(of.dtype) for of in args[-2:])]
        return function(*args, **(kwargs or {}))


def features(n=64, width=16, noise=1.2):
    """Two views of n samples, which agree the more the less noise there is."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(n, width, generator=generator)
    noisy = {view: noise * torch.randn(n, width, generator=generator) + shared for view in ("image", "title")}
    return {view: normalize(of, dim=-1) for view, of in noisy.items()}


def gradients(loss, features, precision):
    """The loss and its gradient by the features and the scale; and under which setting products were made."""
    leaves = {view: of.clone().requires_grad_() for view, of in features.items()}
    scale = torch.tensor(14.3, dtype=features["image"].dtype, requires_grad=True)
    with Products() as products:
        with autocast(precision, CPU):
            value = loss(leaves, PAIRS, scale).loss
        value.backward()
    return value.detach(), [of.grad for of in (*leaves.values(), scale)], products.settings


def sigmoid(features, pairs, scale):
    return multi_view_sigmoid_loss(features, pairs, scale, torch.tensor(-10.0))


def test_auto_is_bfloat16_where_the_processor_has_matrix_units(matrix_units, monkeypatch):
    monkeypatch.delenv(PRECISION_VARIABLE, raising=False)
    matrix_units(True)
    assert [resolve_precision(of, CPU) for of in ("auto", "float32", "bfloat16")] == ["bfloat16", "float32", "bfloat16"]
    matrix_units(False)
    assert [resolve_precision(of, CPU) for of in ("auto", "float32", "bfloat16")] == ["float32", "float32", "bfloat16"]


@pytest.mark.parametrize(
    ("name", "able", "fast"),
    [("AMD EPYC 9654", True, True), ("AMD EPYC 7763", False, False), ("Intel(R) Xeon(R) Processor", True, False)],
)
def test_amds_processors_are_fast_at_bfloat16_without_matrix_units(matrix_units, monkeypatch, name, able, fast):
    matrix_units(False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": name, "avx512_bf16": able})
    assert has_fast_bfloat16(CPU) == fast
    matrix_units(True)
    assert has_fast_bfloat16(CPU)


@pytest.mark.parametrize("reported", [True, False])
@pytest.mark.parametrize("forced", ["float32", "bfloat16"])
def test_the_environment_decides_what_auto_is_on_every_machine(matrix_units, monkeypatch, reported, forced):
    matrix_units(reported)
    monkeypatch.setenv(PRECISION_VARIABLE, forced)
    assert resolve_precision("auto", CPU) == forced
    assert resolve_precision("float32", CPU) == "float32"
    with autocast("auto", CPU):
        assert torch.is_autocast_enabled("cpu") == (forced == "bfloat16")


def test_a_precision_in_the_environment_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv(PRECISION_VARIABLE, "fp8")
    with pytest.raises(UsageError, match="MANYVIEW_PRECISION=fp8, allowed: auto, float32, bfloat16"):
        resolve_precision("auto", CPU)


@pytest.mark.parametrize("loss", [multi_view_loss, sigmoid])
@pytest.mark.parametrize(
    ("precision", "reported", "reduced"),
    [("bfloat16", True, True), ("bfloat16", False, False), ("float32", True, False)],
)
def test_a_bfloat16_loss_reduces_its_products_where_there_are_matrix_units(
    matrix_units, loss, precision, reported, reduced
):
    matrix_units(reported)
    before = MATMUL.fp32_precision
    *_, settings = gradients(loss, features(), precision)
    assert len(settings) == 4  # similarities forward and backward, and the gradients of both sides
    assert all((of == "bf16") == reduced for of in settings)
    assert MATMUL.fp32_precision == before


@pytest.mark.parametrize(("noise", "tolerance"), [(1.6, 5e-4), (0.8, 2**-8)])  # early in a training, and late
def test_the_gradient_of_reduced_products_is_as_near_as_their_rounding(matrix_units, noise, tolerance):
    matrix_units(True)
    views = features(512, 256, noise)
    wide = {view: of.double() for view, of in views.items()}
    loss, exact, _ = gradients(plain_multi_view_loss, wide, "float32")
    reduced_loss, reduced, settings = gradients(multi_view_loss, views, "bfloat16")
    assert set(settings) == {"bf16"}
    torch.testing.assert_close(reduced_loss.double(), loss, atol=1e-3, rtol=0)
    errors = [((of - truth).norm() / truth.norm()).item() for of, truth in zip(reduced, exact, strict=True)]
    assert 1e-5 < max(errors) < tolerance  # it has rounded, and no more


def test_torchs_setting_is_as_before_after_an_error(matrix_units):
    matrix_units(True)
    before = MATMUL.fp32_precision
    with pytest.raises(ZeroDivisionError), products_in(torch.bfloat16, CPU):
        assert MATMUL.fp32_precision == "bf16"
        raise ZeroDivisionError
    assert MATMUL.fp32_precision == before
    too_long = {view: 1e6 * of for view, of in features().items()}
    with pytest.raises(ManyviewError, match="L2-normalised"), autocast("bfloat16", CPU):
        multi_view_loss(too_long, PAIRS, torch.tensor(300.0))
    assert MATMUL.fp32_precision == before


def test_bfloat16_features_are_multiplied_as_such_without_autocast(matrix_units):
    matrix_units(True)
    narrow = {view: of.bfloat16() for view, of in features().items()}
    with Products() as products:
        multi_view_loss(narrow, PAIRS, torch.tensor(14.3))
    assert products.settings == ["bf16"]
