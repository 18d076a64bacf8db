"""Laws of encoding: a folder's features are those of its images one by one, by any number of processes."""

import numpy as np
import pytest
import torch
from PIL import Image

from manyview import DualEncoder
from manyview.errors import DataError, UsageError
from manyview.model import ModelConfig, folder
from manyview.model.folder import encode_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model")
    DualEncoder(ModelConfig(image={"size": 32})).save_pretrained(path)
    return path


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "b").mkdir()
    for i, name in enumerate(("c.png", "a.jpg", "b/z.webp", "b/y.png", "d.gif")):
        Image.new("RGB", (40 + i, 30), (40 * i, 100, 200 - 30 * i)).save(tmp_path / name)
    (tmp_path / "b" / "torn.png").write_bytes(b"torn")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


@pytest.mark.parametrize("processes", [1, 2])
def test_features_of_a_folder_are_those_of_its_images(model, pictures, processes, monkeypatch):
    monkeypatch.setattr(folder, "_CHUNK", 2)
    told = []
    encoded = encode_folder(model, pictures, processes=processes, progress=lambda done, of: told.append((done, of)))
    assert encoded.names == ["a.jpg", "b/y.png", "b/z.webp", "c.png", "d.gif"]
    assert encoded.problems.keys() == {"b/torn.png"}
    alone = [DualEncoder.from_pretrained(model).encode_image([pictures / name]) for name in encoded.names]
    torch.testing.assert_close(torch.from_numpy(encoded.features), torch.cat(alone), atol=1e-5, rtol=0)
    assert told[-1] == (6, 6)


def test_images_of_formats_that_are_not_read_are_named_and_left_out(model, tmp_path):
    Image.new("RGB", (20, 30)).save(tmp_path / "good.png")
    Image.new("RGB", (20, 30)).save(tmp_path / "no suffix", "JPEG")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for name, data in {"a.heic": heic, "b.jxl": b"\xff\x0a..", "c.svg": b"<svg/>", "d.txt": b"a text"}.items():
        (tmp_path / name).write_bytes(data)
    encoded = encode_folder(model, tmp_path, processes=1)
    assert encoded.names == ["good.png", "no suffix"]
    reasons = {"a.heic": "HEIC is not read", "b.jxl": "JPEG XL is not read", "c.svg": "a vector drawing"}
    assert encoded.problems.keys() == reasons.keys()
    assert all(f"({reason}), allowed: " in encoded.problems[name] for name, reason in reasons.items())


def test_a_folder_without_images_is_refused(model, tmp_path):
    with pytest.raises(UsageError, match="no images"):
        encode_folder(model, tmp_path)
    (tmp_path / "torn.png").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"none of the 1 images .* torn\.png: not an image"):
        encode_folder(model, tmp_path, processes=1)


def test_batches_of_any_size_give_the_same_features(model):
    encoder = DualEncoder.from_pretrained(model)
    images = [Image.new("RGB", (20, 30), (i * 12, 0, 255 - i * 12)) for i in range(20)]
    texts = [f"text {'word ' * (i % 5)}" for i in range(20)]
    for encode, items in ((encoder.encode_image, images), (encoder.encode_text, texts)):
        whole = encode(items)
        torch.testing.assert_close(encode(items, batch_size=3), whole, atol=1e-5, rtol=0)
        rough = encode(items, precision="bfloat16")
        assert rough.dtype == torch.float32
        assert 0 < (rough - whole).abs().max() < 0.03
        assert np.allclose(rough.norm(dim=1), 1, atol=1e-2)
        assert encode([]).shape == (0, whole.shape[1])


def test_an_unreadable_image_is_named_while_others_are_decoded_ahead(model):
    encoder = DualEncoder.from_pretrained(model)
    good = Image.new("RGB", (20, 30))
    with pytest.raises(DataError, match="not an image"):
        encoder.encode_image([good] * 5 + [b"torn"] + [good] * 5, batch_size=3)
