"""What a page shows of trainings that follow one another."""

import pytest

from stillact_lib.training import progress as watched


class Line:
    """A line of a page, as IPython's handle of a display, which keeps what it has shown."""

    def __init__(self, data: dict[str, str]) -> None:
        self.shown = [data["text/plain"]]

    def update(self, data: dict[str, str], raw: bool) -> None:
        self.shown.append(data["text/plain"])


@pytest.fixture
def page(monkeypatch):
    """The lines of a page that nobody sits at."""
    lines = []
    monkeypatch.setenv("STILLACT_LIVE", "0")
    monkeypatch.setattr(watched.sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(watched, "get_ipython", object)
    monkeypatch.setattr(watched, "display", lambda data, **_: lines.append(Line(data)) or lines[-1])
    return lines


def test_trainings_on_one_line_leave_one_line(page):
    with watched.on_one_line("heads"):
        for name in ("first", "second"):
            list(watched.progress(0, 2, name))
        watched.told("third: taken from its checkpoint")
    (line,) = page
    assert line.shown[0] == "heads" and line.shown[-1] == "heads: done"
    assert any("second: step 2 of 2" in shown for shown in line.shown)
    assert "third: taken from its checkpoint" in line.shown


def test_a_failure_closes_the_line_and_others_have_their_own(page):
    with pytest.raises(ZeroDivisionError), watched.on_one_line("heads"):
        raise ZeroDivisionError
    list(watched.progress(0, 1, "alone"))
    watched.told("a remark")
    assert [line.shown[0] for line in page] == ["heads", "alone ...", "a remark"]
    assert page[0].shown == ["heads"]
