"""Laws of ONNX models: what their outputs mean is read as stated."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tests.tags.tiny import pictures

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger
from manyview.tags.taggers.coco import COCO_80
from manyview.tags.taggers.onnx_layout import LAYOUTS, Candidates, OutputConfig, candidates, surviving
from manyview.tags.taggers.onnx_model import InputConfig, fit

SIZE = (64, 32)


def save_constant(file: Path, batch: int | str = "n", **outputs: np.ndarray) -> TaggerConfig:
    """A model that says the same of every image, however many there are."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    constants = [numpy_helper.from_array(np.array(0, np.float32), "nothing")]
    made = []
    for name, of in outputs.items():
        shape = numpy_helper.from_array(np.array([-1] + [1] * of.ndim, np.int64), f"{name}_shape")
        constants += [numpy_helper.from_array(of[None].astype(np.float32), f"{name}_value"), shape]
        nodes.append(helper.make_node("Reshape", ["zero", f"{name}_shape"], [f"{name}_zero"]))
        nodes.append(helper.make_node("Add", [f"{name}_value", f"{name}_zero"], [name]))
        made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *of.shape]))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, SIZE[1], SIZE[0]])
    graph = helper.make_graph(nodes, "constant", [images], made, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    return TaggerConfig(name="onnx", model=str(file))


def with_options(config: TaggerConfig, **options: object) -> TaggerConfig:
    return config.model_copy(update={"options": options})


def yolox_by_loops(raw: np.ndarray, strides: tuple[int, ...]) -> list[tuple[list[float], float, int]]:
    """The YOLOX paper's head: centers are offsets from cells, sizes are logarithms, both times the stride."""
    found, row = [], 0
    for stride in strides:
        for y in range(SIZE[1] // stride):
            for x in range(SIZE[0] // stride):
                dx, dy, dw, dh, objectness, *classes = raw[row].tolist()
                cx, cy = (x + dx) * stride, (y + dy) * stride
                w, h = math.exp(dw) * stride, math.exp(dh) * stride
                corners = [
                    (cx - w / 2) / SIZE[0],
                    (cy - h / 2) / SIZE[1],
                    (cx + w / 2) / SIZE[0],
                    (cy + h / 2) / SIZE[1],
                ]
                best = max(range(len(classes)), key=lambda label: classes[label])
                found.append((corners, objectness * classes[best], best))
                row += 1
    return found


def test_a_yolox_grid_is_read_as_its_paper_says() -> None:
    raw = np.random.default_rng(0).random((8 * 4 + 4 * 2 + 2 * 1, 5 + 3))
    read = candidates({"grid": raw}, OutputConfig.model_validate(LAYOUTS["yolox"]), SIZE)
    expected = yolox_by_loops(raw, (8, 16, 32))
    assert len(expected) == len(raw)
    np.testing.assert_allclose(read.boxes, [box for box, _, _ in expected])
    np.testing.assert_allclose(read.scores, [score for _, score, _ in expected])
    assert read.labels.tolist() == [label for _, _, label in expected]


@pytest.mark.parametrize("layout", ["ssd", "detr", "rt-detr"])
def test_scores_by_label_are_read_as_stated(layout: str) -> None:
    random = np.random.default_rng(1)
    boxes, scores = random.random((6, 4)), random.normal(size=(6, 4))
    read = candidates({"boxes": boxes, "scores": scores}, OutputConfig.model_validate(LAYOUTS[layout]), SIZE)
    for place in range(6):
        row = scores[place].tolist()
        if layout == "ssd":
            shares = row[1:]
        elif layout == "detr":
            shares = [math.exp(of) / sum(map(math.exp, row)) for of in row][:-1]
        else:
            shares = [1 / (1 + math.exp(-of)) for of in row]
        x, y, a, b = boxes[place]
        assert read.scores[place] == pytest.approx(max(shares))
        assert read.labels[place] == shares.index(max(shares))
        corners = [x, y, a, b] if layout == "ssd" else [x - a / 2, y - b / 2, x + a / 2, y + b / 2]
        assert read.boxes[place].tolist() == pytest.approx(corners)


@pytest.mark.parametrize("corners", ["xyxy", "yxyx", "cxcywh", "xywh"])
def test_all_ways_of_writing_a_box_mean_the_same_box(corners: str) -> None:
    left, top, right, bottom = 16.0, 8.0, 48.0, 24.0
    written = {
        "xyxy": [left, top, right, bottom],
        "yxyx": [top, left, bottom, right],
        "cxcywh": [32.0, 16.0, 32.0, 16.0],
        "xywh": [left, top, 32.0, 16.0],
    }
    config = OutputConfig.model_validate({**LAYOUTS["listed"], "corners": corners, "first_label": 1})
    outputs = {"boxes": np.array([written[corners]]), "scores": np.array([0.9]), "labels": np.array([1.0])}
    read = candidates(outputs, config, SIZE)
    assert read.boxes.tolist() == [[0.25, 0.25, 0.75, 0.75]]
    assert read.labels.tolist() == [0]


BOXES = st.lists(st.tuples(*[st.floats(0, 1)] * 4, st.floats(0, 1), st.integers(0, 2)), max_size=12)


@given(BOXES, st.floats(0.1, 1))
def test_of_overlapping_boxes_of_a_label_the_surest_survive(rows: list[tuple[float, ...]], iou: float) -> None:
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d, _, _ in rows]).reshape(-1, 4)
    found = Candidates(boxes, np.array([row[4] for row in rows]), np.array([row[5] for row in rows], dtype=int))

    def overlap(one: int, other: int) -> float:
        (a, b, c, d), (e, f, g, h) = boxes[one], boxes[other]
        common = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
        return float(common / max((c - a) * (d - b) + (g - e) * (h - f) - common, 1e-12))

    expected: list[int] = []
    for place in sorted(range(len(rows)), key=lambda of: -rows[of][4]):
        same = [of for of in expected if rows[of][5] == rows[place][5]]
        if rows[place][4] >= 0.2 and all(overlap(place, of) <= iou for of in same):
            expected.append(place)
    assert surviving(found, 0.2, iou) == expected


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["stretch", "corner", "middle"]))
def test_a_point_of_the_image_is_found_again_in_what_the_model_sees(width: int, height: int, how: str) -> None:
    canvas, (left, top, across, down) = fit(Image.new("RGB", (width, height), "red"), SIZE, InputConfig(fit=how))
    assert canvas.shape == (SIZE[1], SIZE[0], 3)
    red = np.argwhere(canvas[..., 1] == 0)
    assert red.min(0).tolist() == pytest.approx([top * SIZE[1], left * SIZE[0]])
    assert (red.max(0) + 1).tolist() == pytest.approx([(top + down) * SIZE[1], (left + across) * SIZE[0]])


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("how", ["stretch", "corner", "middle"])
def test_boxes_come_back_in_shares_of_the_image(tmp_path: Path, batch: int | str, how: str) -> None:
    boxes = np.array([[0.25, 0.25, 0.5, 0.75], [0.0, 0.0, 1.0, 1.0]])
    scores = np.array([[0.1, 0.9, 0.0], [0.2, 0.0, 0.8]])
    config = save_constant(tmp_path / "model.onnx", batch, boxes=boxes, scores=scores)
    tagger = load_tagger(with_options(config, layout="ssd", input={"fit": how}), "cpu")
    images = pictures((64, 64), (64, 32))
    square, wide = tagger(images)
    assert [tagger([image])[0] for image in images] == [square, wide]
    assert [(of.label, of.score) for of in wide] == [("person", 0.9), ("bicycle", 0.8)]
    assert wide[0].box == (0.25, 0.25, 0.5, 0.75)
    lefts = {"stretch": (0.25, 0.5), "corner": (0.5, 1.0), "middle": (0.0, 0.5)}  # the square is half as wide
    assert square[0].box == (lefts[how][0], 0.25, lefts[how][1], 0.75)
    assert square[1].box == (0, 0, 1, 1)


def test_an_image_s_labels_have_no_box(tmp_path: Path) -> None:
    config = save_constant(tmp_path / "model.onnx", logits=np.log(np.array([0.6, 0.3, 0.1])))
    (found,) = load_tagger(with_options(config, layout="classifier"), "cpu")(pictures((20, 30)))
    assert [(of.label, of.score, of.box, of.area) for of in found] == [
        ("person", 0.6, None, 1.0),
        ("bicycle", 0.3, None, 1.0),
        ("car", 0.1, None, 1.0),
    ]


def test_what_the_model_is_shown_is_as_stated(tmp_path: Path) -> None:
    """A model that says the first pixel of each channel."""
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIZE[1], SIZE[0]])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    corner = [
        numpy_helper.from_array(np.array(of, np.int64), name)
        for name, of in (("at", [0, 0]), ("to", [1, 1]), ("on", [2, 3]))
    ]
    nodes = [
        helper.make_node("Slice", ["images", "at", "to", "on"], ["first"]),
        helper.make_node("Flatten", ["first"], ["logits"]),
    ]
    graph = helper.make_graph(nodes, "first", [images], [logits], corner)
    file = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    told = {"channels": "bgr", "mean": [10, 20, 30], "std": [100, 100, 400]}
    config = TaggerConfig(name="onnx", model=str(file), floor=0.0)
    options = {"layout": "classifier", "output": {"activation": "none"}, "input": told}
    (found,) = load_tagger(with_options(config, **options), "cpu")([Image.new("RGB", (9, 9), (90, 60, 40))])
    expected = {"person": (40 - 10) / 100, "bicycle": (60 - 20) / 100, "car": (90 - 30) / 400}
    assert {of.label: of.score for of in found} == pytest.approx(expected)


def test_the_80_names_of_coco_are_torchvision_s() -> None:
    from torchvision.models import get_model_weights

    names = get_model_weights("fasterrcnn_resnet50_fpn").DEFAULT.meta["categories"]
    assert list(COCO_80) == [of for of in names if of not in ("__background__", "N/A")]


def test_what_does_not_fit_the_model_is_said(tmp_path: Path) -> None:
    config = save_constant(tmp_path / "model.onnx", boxes=np.zeros((1, 4)), scores=np.zeros((1, 3)))
    for options, said in (
        ({"layout": "mine"}, "layout got 'mine', allowed: yolox, ssd"),
        ({"layout": "yolox"}, r"has no output \['output'\], only \['boxes', 'scores'\]"),
        ({"layout": "ssd", "output": {"outputs": {"boxes": "boxes"}}}, r"does not say which output holds \['scores'\]"),
        ({"layout": "ssd", "input": {"side": 3}}, "unknown key 'input.side'"),
    ):
        with pytest.raises(UsageError, match=said):
            load_tagger(with_options(config, **options), "cpu")
    with pytest.raises(UsageError, match="device=cuda"):
        load_tagger(with_options(config, layout="ssd"), "cuda")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(UsageError, match="ONNX Runtime cannot load"):
        load_tagger(with_options(config, layout="ssd"), "cpu")
    with pytest.raises(UsageError, match="no model at"):
        load_tagger(with_options(config.model_copy(update={"model": "nowhere.onnx"}), layout="ssd"), "cpu")
