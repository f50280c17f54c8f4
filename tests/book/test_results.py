"""One claim has one number: README, front page, All results and the chapters say what the kept records say."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest

from stillact_lib.evidence.wording import NONE
from stillact_lib.paths import project_root

ROOT = project_root()
RENDERED = ROOT / "book" / "_build" / "html"
KINDS = {"the paper's claims": "claims", "our checks": "checks"}


@pytest.fixture(scope="module")
def generate_pages():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book"))
        import generate_pages

        yield generate_pages


class Statements(HTMLParser):
    """What a page says of claims and counts: by attributes, and whether a reader sees the same."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.claims: list[tuple[dict[str, str], str]] = []  # attributes, text
        self.counts: list[tuple[str, str]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("tr", "td", "span") and (self._open or {"data-claim", "data-count"} & set(given)):
            self._open.append((tag, given, []))

    def handle_data(self, data):
        for _, _, text in self._open:
            text.append(data)

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            _, given, text = self._open.pop()
            if "data-claim" in given:
                self.claims.append((given, "".join(text)))
            if "data-count" in given:
                self.counts.append((given["data-count"], "".join(text)))


def faults(pages: Mapping[str, str], readme: str = "") -> list[str]:
    """Claims with two numbers, counts that disagree with another or with the rows, and numbers that no reader sees."""
    found = []
    said: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    kinds: dict[tuple[str, str], str] = {}
    counts: dict[str, dict[str, str]] = defaultdict(dict)
    for name, page in pages.items():
        statements = Statements(page)
        for given, text in statements.claims:
            key = given["data-claim"], given["data-world"]
            said[key].setdefault((given["data-effect"], given["data-verdict"]), name)
            if "data-kind" in given:
                kinds[key] = f"{given['data-kind']}s"
            seen = re.sub(r"\s", "", text)
            told = [re.sub(r"\s", "", given[f"data-{part}"]) for part in ("effect", "verdict")]
            if not all(one in seen for one in told if one != NONE):
                found.append(f"{name}: {key} shows another number than its attributes")
        for key, number in statements.counts:
            counts[key].setdefault(number, name)
    for key, number in readme_counts(readme).items():
        counts[key].setdefault(number, "README.md")
    found += [f"{key} has two numbers: {numbers}" for key, numbers in said.items() if len(numbers) > 1]
    found += [f"count {key} has two values: {values}" for key, values in counts.items() if len(values) > 1]
    rows = Counter()
    for (claim, world), kind in kinds.items():
        ((_, verdict), *_) = said[claim, world]
        for chapter in (claim.split("/")[0], "all"):
            rows[f"{chapter}/{world}/{kind}/{verdict}"] += 1
    for key, values in counts.items():
        found += [f"count {key} is {value}, the rows are {rows[key]}" for value in values if int(value) != rows[key]]
    return found


def readme_counts(readme: str) -> dict[str, str]:
    """Chapter/world/kind/verdict -> the number in README's table."""
    lines = [line.strip("| ").split(" | ") for line in readme.splitlines() if line.startswith("|")]
    rows = [cells for cells in lines if len(cells) > 2 and cells[2] in KINDS]
    verdicts = next((cells[3:-1] for cells in lines if "reproduced" in cells), [])
    return {
        f"{chapter}/{world.partition(' (')[0]}/{KINDS[kind]}/{verdict}": number
        for chapter, world, kind, *numbers in rows
        for verdict, number in zip(verdicts, numbers[:-1], strict=True)
    }


def outputs_of_the_chapters() -> dict[str, str]:
    pages = {}
    for path in sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        of = [
            output.get("data", {}).get(kind, "")
            for cell in cells
            for output in cell.get("outputs", [])
            for kind in ("text/html", "text/markdown")
        ]
        pages[path.name] = "".join("".join(part) for part in of)
    return pages


def test_no_claim_has_two_numbers_and_no_count_disagrees(generate_pages):
    pages = outputs_of_the_chapters() | {
        "front page": generate_pages.all_results.counts_for_the_front_page(),
        "All results": generate_pages.all_results.results_page(),
    }
    assert len(Statements(pages["All results"]).claims) > 100
    assert faults(pages, (ROOT / "README.md").read_text(encoding="utf-8")) == []


@pytest.mark.skipif(not (RENDERED / "index.html").is_file(), reason="the book is not rendered: make read")
def test_the_rendered_pages_agree_and_their_links_arrive():
    pages = {str(path.relative_to(RENDERED)): path.read_text(encoding="utf-8") for path in RENDERED.rglob("*.html")}
    assert faults(pages, (ROOT / "README.md").read_text(encoding="utf-8")) == [], "render again: make read"
    results = pages["book/_generated/results.html"]
    places = set(re.findall(r'href="\.\./\.\./(chapters/[\w-]+\.html)#([\w-]+)"', results))
    assert places
    assert [f"{page}#{place}" for page, place in places if f'id="{place}"' not in pages[page]] == []


ROW = (
    '<tr data-claim="04/a" data-kind="claim" data-world="drawn" data-effect="+1 [+0, +2]" data-verdict="reproduced">'
    "<th>Says.</th><td>+1<br>[+0, +2]</td><td>reproduced</td></tr>"
)
COUNT = '<td data-count="04/drawn/claims/reproduced">1</td>'
WORDS = ROW.replace("<tr", "<span").replace("</tr>", "</span>").replace(' data-kind="claim"', "")
TABLE = "| chapter | world | what | reproduced | by chance |\n| 04 | drawn (`mini`) | the paper's claims | 1 | 0.0 |"


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ({"a": ROW + COUNT, "b": ROW, "README": TABLE, "c": WORDS}, None),
        ({"a": ROW, "b": ROW.replace("+1", "+3")}, "two numbers"),
        ({"a": ROW, "b": WORDS.replace("reproduced", "inconclusive")}, "two numbers"),
        ({"a": ROW.replace("<td>+1", "<td>+3")}, "shows another number"),
        ({"a": ROW.replace(">reproduced", ">inconclusive")}, "shows another number"),
        ({"a": ROW + COUNT, "b": COUNT.replace(">1", ">2")}, "two values"),
        ({"a": ROW + COUNT.replace(">1", ">2")}, "is 2, the rows are 1"),
        ({"a": ROW + COUNT, "README": TABLE.replace("| 1 |", "| 2 |")}, "two values"),
        ({"a": ROW, "README": TABLE.replace("| 1 |", "| 2 |")}, "is 2, the rows are 1"),
    ],
)
def test_a_doctored_page_is_found(pages, said):
    given = dict(pages)
    found = faults({name: page for name, page in given.items() if name != "README"}, given.get("README", ""))
    assert found == [] if said is None else any(said in fault for fault in found), found


def test_what_git_keeps_is_of_the_kept_records(generate_pages):
    remedy = "write it anew: `.venv/bin/python book/generate_pages.py --committed`"
    assert generate_pages.readme_table() in (ROOT / "README.md").read_text(encoding="utf-8"), remedy
    kept = generate_pages.SCORES.read_text(encoding="utf-8")
    assert kept == generate_pages.all_results.scores_csv(), remedy


def test_every_score_of_a_run_stands_in_the_flat_table(generate_pages):
    lines = generate_pages.SCORES.read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    (record,) = [one for one in generate_pages.all_results.load_records() if one.run_id == rows[0]["run"]]
    of_run = {f"{row['dataset']}/{row['arm']}/{row['metric']}": row for row in rows if row["run"] == record.run_id}
    assert set(of_run) == set(record.metrics)
    for name, row in of_run.items():
        assert float(row["value"]) == pytest.approx(record.metrics[name], rel=1e-5)
        assert row["statistic"] == ("map" if row["metric"] == "map" else "mean") and int(row["items"]) > 0
