"""The book's page on the data, made from the manifests: an overview, then a section a dataset."""

from __future__ import annotations

from stillact_lib.manifests import (
    Certainty,
    Checksum,
    Counts,
    Items,
    Manifest,
    Source,
    Split,
    Statement,
    Subset,
    load_all,
    markdown_table,
    overview,
)


def datasets_page() -> str:
    """An overview table, then a section a dataset: MyST that Jupyter Book 1 and 2 read."""
    header = ["Dataset", "Kind", "Items", "Classes", "Licence", "Chapters"]
    rows = [[f"[](#data-{r['name'].replace('_', '-')})", *list(r.values())[1:]] for r in overview()]
    parts = [
        "# The data",
        "What the datasets are, where to get them, what they hold and where they surprise. None of them comes "
        "with the book, which runs without them, on miniatures in the same layouts. This page is made from "
        "`data_manifests/`, the files that also answer `stillact data list` and back `stillact data verify`.",
        f"How sure each fact is: {'; '.join(f'**{mark}** {text}' for mark, text in CERTAINTY_MARKS.values())}.",
        markdown_table(header, rows, "llrrll"),
        *(markdown_section(manifest) for manifest in load_all().values()),
    ]
    return "\n\n".join(parts) + "\n"


CERTAINTY_MARKS: dict[Certainty, tuple[str, str]] = {
    "verified": ("✓", "checked on real files"),
    "cited": ("°", "stated by a public source"),
    "recollection": ("?", "from memory, to be confirmed"),
}


def marked(text: str, fact: Statement | Source | Split | Subset | Checksum | Items) -> str:
    note = (f" ({fact.note})" if text else fact.note) if fact.note else ""
    return f"{text}{note} {CERTAINTY_MARKS[fact.certainty][0]}".strip()


def counts_text(counts: Counts) -> str:
    return " · ".join(f"{number:,} {part}" for part, number in counts.items())


def markdown_section(manifest: Manifest) -> str:
    """One dataset's section: what, where from, licence, citation, layout, counts, checksums, oddities."""
    facts = [f"- **Used in** chapter{'s' * (len(manifest.chapters) > 1)} {', '.join(manifest.chapters)}"]
    facts += [f"- **Built from** {', '.join(f'`{name}`' for name in manifest.derived_from)}"] * bool(
        manifest.derived_from
    )
    facts += [f"- **Page** <{manifest.page}>"] * bool(manifest.page)
    facts += [
        "- **Source** " + marked(f"[{s.what}]({s.url})" + (f", {s.bytes:,} bytes" if s.bytes else ""), s)
        for s in manifest.sources
    ]
    facts.append("- **Licence** " + marked(manifest.licence.text, manifest.licence))
    facts += ["- **Size** " + marked(manifest.size.text, manifest.size)] if manifest.size else []
    facts.append("- **Holds** " + marked(f"{manifest.items.count:,} {manifest.items.unit}", manifest.items))
    facts.append(f"- **Cite** {manifest.citation.text}")
    facts += ["- **Miniature** none: chapters that use it need the real one"] * (not manifest.miniature)
    splits = [[s.name, counts_text(s.counts), marked("", s)] for s in manifest.splits]
    splits += [[s.name, counts_text(s.counts), marked(", ".join(s.classes), s)] for s in manifest.subsets]
    parts = [
        f"(data-{manifest.name.replace('_', '-')})=\n## {manifest.title}",
        manifest.summary,
        "\n".join(facts),
        f"As `data_root`, give {manifest.place}:" if manifest.sources else f"It is {manifest.place}:",
        f"```text\n{manifest.layout.rstrip()}\n```",
        markdown_table(["Split or subset", "Items", "Note"], splits, "lll"),
    ]
    if manifest.class_groups:
        groups = [[name, str(len(members)), ", ".join(members)] for name, members in manifest.class_groups.items()]
        parts.append(markdown_table(["Group", "Classes", "Names"], groups, "lrl"))
    if per_class := manifest.splits[0].per_class:
        rows = [[f"`{name}`", counts_text(counts)] for name, counts in per_class.items()]
        table = markdown_table(["Class", "Items"], rows, "ll")
        parts.append(f":::{{dropdown}} Items per class, split {manifest.splits[0].name}\n{table}\n:::")
    if shared := manifest.shared_classes:
        rows = [[f"`{c.name}`", " · ".join(map(" ".join, c.pairs)), c.certainty, c.note] for c in shared]
        table = markdown_table(["Class", "Called", "Certainty", "Note"], rows, "llll")
        parts.append(f":::{{dropdown}} The classes, and what each source calls them\n{table}\n:::")
    if manifest.in_ucf101:
        rows = [[name, ", ".join(f"`{its}`" for its in theirs)] for name, theirs in manifest.in_ucf101.items()]
        table = markdown_table(["Class", "In UCF-101"], rows, "ll")
        parts.append(f":::{{dropdown}} {len(rows)} classes that UCF-101 has too, as we see it\n{table}\n:::")
    if manifest.checksums:
        rows = [[marked(f"`{c.file}`", c), f"{c.algorithm} `{c.digest}`"] for c in manifest.checksums]
        parts.append(f":::{{dropdown}} Checksums\n{markdown_table(['File', 'Digest'], rows, 'll')}\n:::")
    parts.append("Worth knowing:\n\n" + "\n".join("- " + marked(fact.text, fact) for fact in manifest.irregularities))
    return "\n\n".join(parts)
