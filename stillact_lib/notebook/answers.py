"""What the kept runs of a chapter answer, world by world, as its cells show it: questions with their verdicts, tables,
claims, and what holds where. Chapters 02 to 05.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from IPython.display import Markdown, display

from stillact_lib.evidence.kept import READING, World
from stillact_lib.evidence.ledger import Ledger
from stillact_lib.evidence.wording import NONE

#: the worlds that stand side by side on a page, and what they are called there, where a chapter does not say
CALLED: dict[World, str] = {"drawn": "drawn world", "real": "real video"}
KINDS = {"claims": "sentences of the paper", "checks": "checks of our own"}
HEADINGS = {
    "reproduced": "Holds",
    "not reproduced": "Does not hold",
    "inconclusive": "Not decided",
    "not attempted": "Not tried, or in part",
}


class Answers:
    """The ledger of a chapter, told in the worlds that have kept runs; the drawn world always comes first."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.called = CALLED | {"real": ledger.published.genuine}
        self.worlds = [world for world in CALLED if world in ledger.worlds()]

    def to(self, questions: Mapping[str, str]) -> Markdown:
        """Questions; below each, from each world that tried it, what the kept runs say of the sentence with its id."""
        lines = []
        for question, id in questions.items():
            lines.append(f"- {question}")
            told = {self.called[at]: self.ledger.in_words(id, at, example=True) for at in self._telling(id)}
            lines += [f"  - {world}: {words}" for world, words in told.items()]
        return Markdown("\n".join(lines))

    def _telling(self, id: str) -> list[World]:
        """The worlds whose runs say anything of a sentence, be it in part; the first where none does."""
        verdicts = {at: self.ledger.verdict(id, at) for at in self.worlds}
        tried = [
            at
            for at, verdict in verdicts.items()
            if verdict.label != "not attempted" or any(one.found for one in verdict.cells)
        ]
        return tried or self.worlds[:1]

    def figure(self, dataset: str, arm: str, metric: str, against: str, at: World = "drawn") -> str:
        """What an arm has over another in the kept runs of a world, with its interval, for a sentence of the text."""
        found = self.ledger.measured(dataset, arm, metric, against, at)
        if found is None:
            return "not measured"
        digits = self.ledger.published.decimals(metric)
        return f"{found.mean:+.{digits}f} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"

    def standing(self, dataset: str, arm: str, metric: str, against: str, at: World = "drawn") -> str:
        """Where an arm stands beside another in the kept runs of a world, in words that its interval chooses ("ahead
        of", "behind" or "not told apart from"), for a sentence of the text, so that none outlives its runs."""
        found = self.ledger.measured(dataset, arm, metric, against, at)
        if found is None:
            return "not measured against"
        lower = self.ledger.published.metrics[metric].better == "lower"
        low, high = (-found.high, -found.low) if lower else (found.low, found.high)
        return "ahead of" if low > 0 else "behind" if high < 0 else "not told apart from"

    def counted(self) -> Markdown:
        """How many of the paper's sentences and of our checks have which verdict, and how many chance would make."""
        lines = []
        for at in self.worlds:
            for kind, counts in self.ledger.counts(at).items():
                if counts.of.get("not attempted") == counts.total and at != self.worlds[0]:
                    continue
                listed = ", ".join(f"{count} {label}" for label, count in counts.of.items())
                lines.append(
                    f"- Of {counts.total} {KINDS[kind]}, {self.called[at]}: {listed}; chance alone would "
                    f"call {counts.by_chance:.1f} reproduced, and as many not."
                )
            if self.ledger.kept[at].profile in READING:
                lines.append(
                    f"\nThe verdicts of the {self.called[at]} rest on reading-size runs, whose networks and baselines "
                    "stop long before they are trained, and are provisional until runs of the profile `study` exist.\n"
                )
        return Markdown("\n".join(lines))

    def tables(self, name: str, *parts: Sequence[str], only: World | None = None) -> None:
        """Shows a table of the ledger from each world whose kept runs have two rows of it, and from the first; `parts`:
        columns that fit on a page together; `only`: the one world that the table speaks of. The table's notes stand
        below the first."""
        notes = True
        for at in [only] if only else self.worlds:
            for columns in parts or [None]:
                table = self.ledger.table(name, columns=columns, notes=notes, world=at)
                ours = [column for column in table.data if column[1].startswith("ours")]
                if at in (only, self.worlds[0]) or (table.data[ours] != NONE).any(axis=1).sum() > 1:
                    display(table)
                    notes = False

    def claims(self, *ids: str) -> None:
        """Shows sentences with what was found and their verdicts, from each world in which one was attempted."""
        for at in self.worlds:
            attempted = [id for id in ids if self.ledger.verdict(id, at).label != "not attempted"]
            if at == self.worlds[0] or attempted:
                display(self.ledger.claims(*(ids if at == self.worlds[0] else attempted), world=at))

    def what_holds(self, findings: Mapping[str, str]) -> Markdown:
        """Findings (in a few words -> id of the sentence), world by world, by their verdicts; what was tried nowhere
        stands below the first."""
        lines = []
        telling = {id: self._telling(id) for id in findings.values()}
        for at in self.worlds:
            lines += [f"\n**{self.called[at].capitalize()}**\n"]
            for label, heading in HEADINGS.items():
                of_label = [
                    f"  - {finding}: {self.ledger.in_words(id, at)}"
                    for finding, id in findings.items()
                    if at in telling[id] and self.ledger.verdict(id, at).label == label
                ]
                lines += [f"- *{heading}*", *of_label] if of_label else []
        return Markdown("\n".join(lines))
