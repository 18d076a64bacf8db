"""Card: what a model's README.md says about it."""

from manyview.model.config import ModelConfig

__all__ = ["CARD_FILE", "model_card"]

CARD_FILE = "README.md"
_CARD = """\
---
library_name: manyview
pipeline_tag: zero-shot-image-classification
tags:
- image-text
- contrastive
- multi-view
---

# An image-text model

A dual encoder: images by `{image}` at {size} pixels, texts by `{text}`, {parameters:,} parameters, both mapped
to L2-normalised vectors of {width} numbers, so that a dot product compares them.

```python
from manyview import DualEncoder

model = DualEncoder.from_pretrained("PATH/OF/THIS/FOLDER")
similarity = model.similarity(model.encode_text(["a red apple"]), model.encode_image(["apple.png"]))
```

## Training

{training}
"""


def model_card(config: ModelConfig, parameters: int, training: str) -> str:
    """Markdown with the Hugging Face hub's front matter; `training` says what the weights come from."""
    return _CARD.format(
        image=config.image.name,
        size=config.image.size,
        text=config.text.name,
        width=config.embed_dim,
        parameters=parameters,
        training=training,
    )
