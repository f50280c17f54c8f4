"""A record's code is that of what its chapter measures with: not of other papers, not of what draws or judges."""

from stillact_lib.paths import project_root
from stillact_lib.version import _measuring, code_digest

LIBRARY = project_root() / "stillact_lib"


def files_of(chapter):
    return {
        path.relative_to(LIBRARY).as_posix() for path in _measuring(project_root() / "chapters" / f"{chapter}.ipynb")
    }


def test_a_chapter_measures_with_its_paper_and_what_that_imports():
    found = files_of("04-im2flow")
    assert {"papers/im2flow/flow.py", "training/loop.py", "vision/optical_flow.py", "datasets/ucf101.py"} <= found
    assert {"papers/motion_baselines/walker.py", "networks/im2flow_unet.py", "miniature/world.py"} <= found
    assert not any(path.startswith(("evidence/", "notebook/", "papers/lga/", "papers/fra/")) for path in found)
    assert "papers/im2flow/figures.py" not in found
    assert files_of("02-human-mask-loss") != found


def test_without_a_chapter_every_file_counts(tmp_path, monkeypatch):
    assert len({code_digest(), code_digest("04-im2flow"), code_digest("02-human-mask-loss")}) == 3
    assert code_digest("no-such-chapter") == code_digest()
