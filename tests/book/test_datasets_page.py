"""The book's page on the data holds what the manifests say."""

from __future__ import annotations

import pytest

from stillact_lib.manifests import load_all
from stillact_lib.paths import project_root


@pytest.fixture(scope="module")
def page() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(project_root() / "book"))
        from datasets_page import datasets_page

        return datasets_page()


def test_every_dataset_has_its_section(page: str) -> None:
    for manifest in load_all().values():
        anchor = f"data-{manifest.name.replace('_', '-')}"
        assert page.count(f"({anchor})=\n## {manifest.title}\n") == 1
        assert f"[](#{anchor})" in page
        assert manifest.citation.text in page
        assert all(fact.text in page for fact in manifest.irregularities)
    assert page.count("```") % 2 == 0
    assert page.count(":::") % 2 == 0


def test_tables_of_classes(page: str) -> None:
    assert "| `run` | hmdb51 run · stanford40 running · imsitu running · imsitu jogging" in page
    assert "| `haircut` | ucf101 Haircut · imagenet_actions n09934774 · imagenet_actions n10155849 | ours |" in page
    assert "| basketball | `Basketball`, `BasketballDunk` |" in page
