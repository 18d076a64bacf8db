"""Column names: what shops, crawls and data sets call their columns, in the languages they write in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["ATTRIBUTIONS", "GROUPS", "IDS", "IMAGES", "KINDS", "LANGUAGES", "LICENSES", "first_named", "folded"]

SEPARATORS = re.compile(r"[\s_\-./:#()（）]+")
ACCENTS = re.compile("[\u0300-\u036f]")


def folded(name: str) -> str:
    """The name without case, accents of Latin letters, spaces and punctuation: "Mots-clés" is "motscles"."""
    letters = ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold())).replace("ı", "i")
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", letters))


def first_named(known: Sequence[str], names: Iterable[str]) -> list[str]:
    """Those of the names that are known, in the order of `known`; one written exactly so before one that is like it."""
    names = list(names)
    exact = {name.lower(): name for name in reversed(names)}
    alike = {folded(name): name for name in reversed(names)}
    found = (exact.get(name) or alike.get(folded(name)) for name in known)
    return list(dict.fromkeys(name for name in found if name is not None))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


KINDS = {
    "title": _words(
        """title name product_name product_title 标题 商品标题 商品名称 商品名 产品名称 产品标题 品名 名称 標題
        商品名稱 產品名稱 名稱 タイトル 名前 상품명 제품명 제목 titel produkttitel produktname artikelname
        artikelbezeichnung bezeichnung titre nom nom_du_produit nom_produit libellé désignation título nombre
        nombre_producto nombre_del_producto nome nome_produto nome_do_produto titolo nome_prodotto название
        название_товара наименование наименование_товара заголовок başlık ürün_adı العنوان عنوان اسم_المنتج
        الاسم ชื่อสินค้า ชื่อ tiêu_đề tên_sản_phẩm judul nama_produk tytuł nazwa nazwa_produktu productnaam naam"""
    ),
    "caption": _words(
        """caption captions text texts txt alt alt_text sentence sentences 图片说明 图说 配文 文本 圖說 圖片說明
        キャプション 캡션 bildunterschrift bildtext beschriftung légende légendes pie_de_foto leyenda legenda
        didascalia подпись подпись_к_фото altyazı التعليق تعليق คำบรรยาย คำบรรยายภาพ chú_thích podpis bijschrift"""
    ),
    "tags": _words(
        """tags keywords labels objects 标签 关键词 关键字 標籤 關鍵字 タグ キーワード 태그 키워드 schlagworte
        schlagwörter stichworte stichwörter schlüsselwörter étiquettes mots_clés etiquetas palabras_clave
        palavras_chave etichette parole_chiave теги тэги метки ключевые_слова etiketler anahtar_kelimeler الوسوم
        وسوم الكلمات_المفتاحية แท็ก คำสำคัญ từ_khóa kata_kunci tagi słowa_kluczowe trefwoorden"""
    ),
    "category": _words(
        """category categories label 类目 商品类目 分类 商品分类 类别 品类 類別 分類 商品分類 カテゴリ カテゴリー
        카테고리 분류 kategorie kategorien warengruppe catégorie catégories categoría categorías categoria
        categorias categorie категория категории рубрика kategori الفئة فئة التصنيف หมวดหมู่ ประเภท danh_mục
        kategoria"""
    ),
    "context": _words(
        """description context 描述 商品描述 产品描述 商品详情 详情 简介 商品說明 說明 説明 商品説明 商品の説明
        설명 상품설명 상품_설명 beschreibung produktbeschreibung artikelbeschreibung descripción descrição
        descrizione описание описание_товара açıklama ürün_açıklaması الوصف وصف รายละเอียด คำอธิบาย mô_tả
        deskripsi opis omschrijving beschrijving"""
    ),
    "query": _words(
        """query queries search_term search_query 搜索词 搜索关键词 查询 查询词 检索词 搜尋詞 検索語 検索キーワード
        クエリ 검색어 suchbegriff suchanfrage suchwort requête terme_de_recherche consulta término_de_búsqueda
        termo_de_busca termine_di_ricerca запрос поисковый_запрос sorgu arama_terimi كلمة_البحث استعلام คำค้นหา
        คำค้น từ_khóa_tìm_kiếm zapytanie zoekterm"""
    ),
}
IDS = _words(
    """image_id id sku item_id product_id key __key__ uid uuid 商品编号 商品id 商品编码 产品编号 产品id 货号
        编号 图片编号 图片id 商品編號 編號 商品番号 商品コード 品番 상품번호 상품코드 상품id artikelnummer
        artikelnr produktnummer produkt_id bestellnummer identifiant code_article id_produit referencia
        identificador código código_producto id_producto referência código_produto codice codice_articolo
        codice_prodotto артикул код_товара номер_товара идентификатор ürün_kodu ürün_no stok_kodu رقم_المنتج
        رمز_المنتج المعرف รหัสสินค้า รหัส mã_sản_phẩm kode_produk kod_produktu numer_produktu"""
)
IMAGES = _words(
    """image jpg png webp img photo picture image_bytes image_base64 图片 商品图片 产品图片 主图 图像 照片 圖片
        商品圖片 圖像 画像 商品画像 写真 이미지 상품이미지 사진 bild produktbild foto imagen fotografía imagem
        immagine изображение картинка фото фотография resim görsel fotoğraf الصورة صورة รูปภาพ รูป ภาพ hình_ảnh
        ảnh gambar obraz zdjęcie obrazek afbeelding filepath image_path file_path file_name filename path
        图片路径 图片文件 图片文件名 圖片路徑 画像パス 画像ファイル 이미지경로 이미지파일 bilddatei bildpfad
        fichier_image chemin_image archivo_imagen ruta_imagen arquivo_imagem caminho_imagem file_immagine
        percorso_immagine путь_к_изображению файл_изображения resim_dosyası image_url img_url url 图片地址
        图片链接 图片url 图片网址 圖片網址 画像url 이미지url 이미지주소 bild_url bildlink url_image lien_image
        url_imagen url_imagem url_immagine ссылка_на_изображение resim_url görsel_url رابط_الصورة ลิงก์รูปภาพ"""
)
GROUPS = ("group", "group_id")
LANGUAGES = _words(
    """lang language 语言 語言 言語 언어 sprache langue idioma lingua язык dil اللغة ภาษา ngôn_ngữ język taal"""
)
LICENSES = _words(
    """license licence 许可证 授權 ライセンス 라이선스 lizenz licencia licença licenza лицензия lisans licencja"""
)
ATTRIBUTIONS = _words(
    """attribution author artist credit 作者 著者 저자 autor auteur autore автор yazar المؤلف ผู้แต่ง tác_giả"""
)
