"""Forty-eight products: colored pictures, and texts of every kind in every language of the matrix."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

COUNT = 48
KINDS = ("title", "caption", "tags", "query", "alt")
KIND_SETS = {**{f"{kind} only": (kind,) for kind in KINDS}, "all kinds": KINDS}
COLORS = ((205, 45, 40), (45, 160, 70), (50, 70, 200), (225, 200, 60))
COLOR_NAMES = {
    "en": ("red", "green", "blue", "yellow"),
    "zh": ("红色", "绿色", "蓝色", "黄色"),
    "de": ("rot", "grün", "blau", "gelb"),
    "th": ("สีแดง", "สีเขียว", "สีน้ำเงิน", "สีเหลือง"),
}
NOUNS = {
    "en": ("cup", "chair", "lamp", "coat"),
    "zh": ("杯子", "椅子", "台灯", "外套"),
    "de": ("Tasse", "Stuhl", "Lampe", "Mantel"),
    "th": ("ถ้วย", "เก้าอี้", "โคมไฟ", "เสื้อคลุม"),
}
SENTENCES = {  # each names color, noun and number, so that no two products share a text
    "en": {
        "title": "{c} {n} {i}",
        "caption": "a {c} {n} in room {i}",
        "query": "buy {n} {c} {i}",
        "alt": "{n}, {c}, {i}",
    },
    "zh": {"title": "{c}{n}{i}", "caption": "{i}号房间里的{c}{n}", "query": "买{c}{n}{i}", "alt": "{n}，{c}，{i}"},
    "de": {
        "title": "{c} {n} {i}",
        "caption": "{n} in {c} im Zimmer {i}",
        "query": "{n} {c} {i} kaufen",
        "alt": "{n}, {c}, {i}",
    },
    "th": {"title": "{n}{c} {i}", "caption": "{n}{c}ในห้อง {i}", "query": "ซื้อ{n}{c} {i}", "alt": "{n} {c} {i}"},
}
LANGUAGES = ("en", "zh", "de", "th", "untagged", "mixed")


@dataclass(frozen=True)
class Product:
    """One product: `texts` are (kind, text), `lang` its tag, empty where the data do not say it."""

    id: str
    image: bytes
    lang: str
    texts: tuple[tuple[str, str], ...]

    def of_kind(self, kind: str) -> list[str]:
        """The texts of one kind."""
        return [text for name, text in self.texts if name == kind]


def products(kinds: Sequence[str], language: str) -> list[Product]:
    """The products with texts of these kinds; "untagged" is German without a tag, "mixed" takes all in turn."""
    return [_product(number, kinds, language) for number in range(COUNT)]


def _product(number: int, kinds: Sequence[str], language: str) -> Product:
    tagged = list(SENTENCES)[number % len(SENTENCES)] if language == "mixed" else language
    lang = "de" if language == "untagged" else tagged
    color, noun = number % 4, number // 4 % 4
    names = {"c": COLOR_NAMES[lang][color], "n": NOUNS[lang][noun], "i": number}
    texts = [(kind, SENTENCES[lang][kind].format(**names)) for kind in kinds if kind != "tags"]
    texts += [("tags", names["c"]), ("tags", names["n"])] if "tags" in kinds else []
    return Product(f"{number:05d}", _picture(number), "" if language == "untagged" else tagged, tuple(texts))


def _picture(number: int) -> bytes:
    """A coarse pattern of the product's own in the product's color, so that no two look alike."""
    noise = np.random.default_rng(number).integers(-40, 40, (6, 6, 1))
    pixels = np.clip(np.array(COLORS[number % 4]) + noise, 0, 255).astype(np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).resize((72, 64), Image.Resampling.BICUBIC).save(packed, "PNG")
    return packed.getvalue()
