"""Laws of column names: headings in the languages of shops are understood, and no name says two things."""

from collections import Counter
from pathlib import Path

import pytest

from manyview.corpus.sources.column_names import IDS, IMAGES, KINDS, LANGUAGES, first_named, folded
from manyview.corpus.sources.guess import guess_source

HEADINGS = {
    "zh": "商品编号,图片,标题,标签,类目",
    "zh-Hant": "商品編號,圖片,標題,標籤,類別",
    "ja": "商品番号,画像,商品名,タグ,カテゴリ",
    "ko": "상품번호,이미지,상품명,태그,카테고리",
    "de": "Artikelnummer,Bild,Bezeichnung,Schlagworte,Kategorie",
    "fr": "Code article,Photo,Titre,Mots-clés,Catégorie",
    "es": "Código,Imagen,Título,Palabras clave,Categoría",
    "pt": "Código,Imagem,Título,Palavras-chave,Categoria",
    "it": "Codice articolo,Immagine,Titolo,Parole chiave,Categoria",
    "ru": "Артикул,Изображение,Название,Теги,Категория",
    "tr": "Ürün Kodu,Görsel,Ürün Adı,Etiketler,Kategori",
    "ar": "رقم المنتج,الصورة,اسم المنتج,الوسوم,الفئة",
    "th": "รหัสสินค้า,รูปภาพ,ชื่อสินค้า,แท็ก,หมวดหมู่",
    "vi": "Mã sản phẩm,Hình ảnh,Tên sản phẩm,Từ khóa,Danh mục",
    "pl": "Kod produktu,Zdjęcie,Nazwa,Słowa kluczowe,Kategoria",
    "en": "Product ID,Image URL,Product Name,Keywords,Category",
}


@pytest.mark.parametrize("language", HEADINGS)
@pytest.mark.parametrize("shape", [str, str.upper, lambda text: text.replace(" ", "_")])
def test_a_shops_heading_is_understood(language: str, shape: object, tmp_path: Path) -> None:
    heading = shape(HEADINGS[language])  # type: ignore[operator]
    names = heading.split(",")
    (tmp_path / "t.csv").write_text(f'{heading}\n1,a.jpg,b,"c,d",e\n', encoding="utf-8")
    expected = "id <- {}, image <- {}, title <- {}, tags <- {} (split at ','), category <- {}".format(*names)
    assert guess_source(str(tmp_path / "t.csv")).describe() == expected


def test_no_name_says_two_things() -> None:
    kinds = [{folded(name) for name in names} for names in (*KINDS.values(), IDS, IMAGES, LANGUAGES)]
    counts = Counter(name for names in kinds for name in names)
    assert [name for name, count in counts.items() if count > 1] == []


def test_a_name_as_it_is_written_goes_before_one_that_is_like_it() -> None:
    assert first_named(("id", "key"), ["_id", "key", "ID"]) == ["ID", "key"]
    assert first_named(("key",), ["__key__"]) == ["__key__"]
    assert first_named(IMAGES, ["url", "Bild"]) == ["Bild", "url"]
