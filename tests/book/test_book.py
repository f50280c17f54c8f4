"""The rendered pages (make book, make read or make test render them): all there, and nothing comes from the network."""

import re
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from stillact_lib.paths import project_root

HTML = project_root() / "book" / "_build" / "html"
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
}

pytestmark = pytest.mark.skipif(not (HTML / "index.html").is_file(), reason="the book is not rendered; run make read")


def expected_pages() -> list[str]:
    toc = yaml.safe_load((project_root() / "book" / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]


def pages() -> list:
    return sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)


def soup(path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def is_remote(address: str) -> bool:
    return address.strip().startswith("//") or urlsplit(address.strip()).scheme in {"http", "https", "ftp"}


def test_every_page_of_the_contents_exists():
    assert [page for page in expected_pages() if not (HTML / f"{page}.html").is_file()] == []
    assert {"index.html", "search.html"} <= {path.name for path in pages()}


def test_every_chapter_is_in_the_contents():
    chapters = {f"chapters/{path.stem}" for path in (project_root() / "chapters").glob("[0-9][0-9]-*.ipynb")}
    assert chapters <= set(expected_pages())


def test_pages_load_nothing_from_the_network():
    for path in pages():
        page = soup(path)
        loaded = [tag[name] for kind, name in LOADING.items() for tag in page.find_all(kind) if tag.get(name)]
        loaded += [
            tag["href"] for tag in page.find_all("link") if tag.get("href") and "canonical" not in tag.get("rel", [])
        ]
        assert [address for address in loaded if is_remote(address)] == [], path.name
        for script in page.find_all("script", src=False):
            assert not re.search(r"(?:import|src|url|fetch)\W{0,12}[\"'](?:https?:)?//", script.text), path.name
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", str(page)), path.name


def test_no_script_waits_to_fetch_itself():
    """Thebe and the widget manager would load themselves from elsewhere; a book without servers has no use for them."""
    names = re.compile(r"THEBE_JS_URL|unpkg\.com|jsdelivr|cdnjs|require\.min\.js")
    assert [path.name for path in pages() if names.search(path.read_text(encoding="utf-8"))] == []


def test_sheets_load_nothing_from_the_network():
    sheets = list((HTML / "_static").rglob("*.css"))
    assert sheets
    for path in sheets:
        text = path.read_text(encoding="utf-8")
        addresses = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", text)
        assert [address for address in addresses if is_remote(address)] == [], path.name


def test_own_links_and_files_are_there():
    for path in pages():
        for tag in soup(path).find_all(True):
            for name in ("href", "src"):
                address = tag.get(name)
                if not address or is_remote(address) or urlsplit(address).scheme or address.startswith("#"):
                    continue
                target = path.parent / unquote(urlsplit(address).path)
                assert target.exists(), f"{path.name}: {address}"


def test_pictures_have_alt_text():
    for path in pages():
        for picture in soup(path).find_all("img"):
            assert picture.get("alt", "").strip() or "logo" in picture.get("class", []), (
                f"{path.name}: {str(picture)[:120]}"
            )


def test_mathematics_is_local():
    text = (HTML / "chapters" / "04-im2flow.html").read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]*mathjax[^"]*)"', text)
    assert sources, "the chapter has formulae, so it must load MathJax"
    assert all((HTML / "chapters" / source.split("?")[0]).is_file() for source in sources)


def test_own_style_is_loaded_everywhere():
    for page in expected_pages():
        assert "stillact.css" in (HTML / f"{page}.html").read_text(encoding="utf-8")


def test_code_can_be_downloaded():
    page = soup(HTML / "chapters" / "04-im2flow.html")
    assert [tag for tag in page.find_all("a", href=True) if tag["href"].endswith("04-im2flow.ipynb")]
