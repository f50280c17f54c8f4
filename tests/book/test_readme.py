"""README.md says what the kept records say."""

from stillact_lib.paths import project_root


def test_the_results_table_is_of_the_kept_records(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(project_root() / "book"))
    import generate_pages

    readme = (project_root() / "README.md").read_text(encoding="utf-8")
    remedy = "write it anew: `.venv/bin/python book/generate_pages.py --readme`"
    assert generate_pages.readme_table() in readme, remedy
