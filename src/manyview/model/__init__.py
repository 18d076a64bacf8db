"""Batches become features: dual encoders from any timm image model and any transformers text encoder."""

from manyview.model.config import HeadConfig, ImageTowerConfig, ModelConfig, RecordConfig, TextTowerConfig
from manyview.model.dual_encoder import DualEncoder, find_model
from manyview.model.packed import token_rows
from manyview.model.stored_record import store_record_weights
from manyview.model.tokenizer import TextTokenizer, WordPieceTokenizer, train_wordpiece

__all__ = [
    "DualEncoder",
    "HeadConfig",
    "ImageTowerConfig",
    "ModelConfig",
    "RecordConfig",
    "TextTokenizer",
    "TextTowerConfig",
    "WordPieceTokenizer",
    "find_model",
    "store_record_weights",
    "token_rows",
    "train_wordpiece",
]
