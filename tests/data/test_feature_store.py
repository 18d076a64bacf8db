"""Laws of the feature store: what was written is found by its key, and nothing else is."""

import pickle

import pytest
import torch

from manyview.data.feature_store import FeatureStore, text_key
from manyview.errors import DataError, ManyviewError, UsageError


@pytest.fixture
def store(tmp_path):
    made = FeatureStore(tmp_path / "store", {"weights": "a"}, 3)
    made.write(0, [5, -2], torch.tensor([[5.0] * 3, [-2.0] * 3]), {})
    made.write(1, [9], torch.tensor([[9.0] * 3]), {7: "image cannot be decoded"})
    made.open_parts()
    return made


def test_rows_come_in_the_order_asked_for_whatever_part_they_are_in(store):
    keys = [9, 5, -2, 9]
    assert torch.equal(store.rows(keys), torch.tensor([[float(key)] * 3 for key in keys]))
    assert store.rows([]).shape == (0, 3)
    copy = pickle.loads(pickle.dumps(store))
    assert torch.equal(copy.rows(keys), store.rows(keys))


def test_missing_are_the_keys_without_features_and_without_a_reason(store):
    assert store.missing([1, 5, 7, 1, 0]) == [1, 0]
    assert store.problem(7) == "image cannot be decoded"
    assert store.problem(5) is None
    with pytest.raises(ManyviewError, match="1 contents have no features"):
        store.rows([5, 1])


def test_a_part_that_was_not_written_to_its_end_is_not_there(store):
    (store.folder / "part-000002.safetensors.12.partial").write_bytes(b"half")
    store.open_parts()
    assert (len(store), store.next_part) == (3, 2)


def test_features_of_another_tower_are_refused_and_damage_is_a_sentence(store):
    with pytest.raises(UsageError, match=r"of another model \(other weights\)"):
        FeatureStore(store.folder, {"weights": "b"}, 3)
    (store.folder / "part-000001.safetensors").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"part-000001\.safetensors is damaged, remove it"):
        store.open_parts()


def test_one_text_has_a_key_for_each_length_that_it_is_cut_to():
    assert text_key("apple", 8) == text_key("apple", 8)
    assert len({text_key("apple", 8), text_key("apple", 16), text_key("pear", 8)}) == 3
