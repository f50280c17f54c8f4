"""A chapter killed at random moments ends with the record of one that was left alone: a script to show it.

    .venv/bin/python tests/killed_runs.py 03 --kills 10

runs the chapter (profile quick) once undisturbed, then in a fresh workspace again and again, each time killed with all
its processes (SIGKILL), until the last session may end. It prints what was killed where, and compares the records:
parameters, metrics, counts and every array of scores have to be identical; seconds and memory may differ. Exits with 1
where they are not.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
import yaml

from stillact_lib.errors import StillactError
from stillact_lib.paths import project_root

ROOT = project_root()
#: one run as `make runs` makes it, of any notebook
SESSION = """
import json, sys
from pathlib import Path
from stillact_lib.batch.execution import measuring_digest
from stillact_lib.batch.planning import Run
from stillact_lib.batch.schedule import on_this_machine, run_batch
notebook = Path(sys.argv[1])
run = Run(notebook, measuring_digest(notebook), "killed", "run", 0, None, json.loads(sys.argv[2]))
with on_this_machine(1) as executor:
    sys.exit(run_batch([run], keep=False, executor=executor)[0][2] != "done")
"""
#: parts of a record that say how a run went, not what came out
HOW = ("wall_seconds", "peak_memory_mib", "sessions")


@dataclass
class Session:
    """A run in processes of its own, and the lines it printed, each with its second."""

    process: subprocess.Popen
    began: float
    log: Path
    lines: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    def start(cls, notebook: Path, parameters: dict[str, Any], workspace: Path) -> Session:
        workspace.mkdir(parents=True, exist_ok=True)
        log = workspace / "session.log"
        environment = os.environ | {"STILLACT_WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", SESSION, str(notebook), json.dumps(parameters)]
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        return cls(process, time.monotonic(), log)

    def wait(self, seconds: float = float("inf")) -> bool:
        """Waits for its end, at most so long; returns whether it ended."""
        while self.process.poll() is None and self.seconds < seconds:
            time.sleep(0.05)
            read = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            self.lines += [(self.seconds, line.strip()) for line in read[len(self.lines) :]]
        return self.process.poll() is not None

    def kill(self) -> None:
        """SIGKILL to every process of the run at once; a kernel is in a group of its own, so groups are not enough."""
        everybody = psutil.Process(self.process.pid).children(recursive=True)
        for process in [psutil.Process(self.process.pid), *everybody]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(everybody, timeout=20)
        self.process.wait()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def last(self) -> str:
        return self.lines[-1][1] if self.lines else "(nothing yet)"


def undisturbed(notebook: Path, parameters: dict[str, Any], workspace: Path) -> tuple[float, float]:
    """Runs it once; returns its seconds, and those until its first cell had run."""
    session = Session.start(notebook, parameters, workspace)
    session.wait()
    if session.process.returncode:
        raise StillactError(f"{notebook.name}: failed undisturbed: {session.last}")
    first = next((at for at, line in session.lines if line.startswith("cell")), session.seconds)
    return session.seconds, first


def killed(
    notebook: Path, parameters: dict[str, Any], workspace: Path, moments: list[float]
) -> list[tuple[float, str]]:
    """Runs it, killed after so many seconds in each session, then to its end; returns (seconds, last line) of all."""
    told = []
    for moment in [*moments, float("inf")]:
        session = Session.start(notebook, parameters, workspace)
        ended = session.wait(moment)
        if not ended:
            session.kill()
        elif session.process.returncode:
            raise StillactError(f"{notebook.name}: failed after {len(told)} kills: {session.last}")
        told.append((session.seconds, session.last if not ended else "ended"))
        print(f"  {told[-1][0]:7.1f} s  {'ended' if ended else 'killed at: ' + told[-1][1]}", flush=True)
        if ended:
            break
    return told


def moments_of(kills: int, seconds: float, first: float, seed: int) -> list[float]:
    """When to kill each session: at random, so that all of them together get about as far as one undisturbed run."""
    rng = random.Random(seed)
    return [rng.uniform(first / 2, first + 2 * (seconds - first) / kills) for _ in range(kills)]


def records_in(folder: Path) -> dict[str, dict[str, Any]]:
    """All that the records below `folder` say came out, by run id: fields, and scores as bytes."""
    found = {}
    for path in sorted((folder / "records").rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        parts = {name: value for name, value in record.items() if name not in HOW}
        if record.get("scores_file"):
            with np.load(path.parent / record["scores_file"], allow_pickle=False) as scores:
                parts |= {f"scores {name}": (scores[name].dtype.str, scores[name].tobytes()) for name in scores.files}
        if record.get("networks_file"):
            parts["networks"] = (path.parent / record["networks_file"]).read_bytes()
        found[record["run_id"]] = parts
    return found


def differences(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> list[str]:
    """What is not the same in two sets of records: "run: part", or a run that only one has."""
    lacking = [f"{run}: in one of the two only" for run in sorted(one.keys() ^ other.keys())]
    both = [(run, one[run], other[run]) for run in sorted(one.keys() & other.keys())]
    return lacking + [f"{run}: {name}" for run, a, b in both for name in sorted(a | b) if a.get(name) != b.get(name)]


def main(
    chapter: Annotated[str, typer.Argument(help="Start of a chapter's name, e.g. 03.")],
    kills: Annotated[int, typer.Option(help="How often it is killed.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    given: Annotated[str, typer.Option("--set", help="Parameters beside quick's: steps=40 ...")] = "",
    folder: Annotated[Path | None, typer.Option(help="For the workspaces; a temporary one by default.")] = None,
) -> None:
    """Show that a chapter killed again and again ends with the record of one that was left alone."""
    (notebook,) = (ROOT / "chapters").glob(f"{chapter}*.ipynb")
    parameters = yaml.safe_load((ROOT / "chapters" / "profiles" / "quick" / f"{notebook.stem}.yaml").read_text())
    pairs = [each.partition("=") for each in shlex.split(given)]
    parameters |= {"keep_checkpoints": True} | {name: yaml.safe_load(value) for name, _, value in pairs}
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        print(f"{notebook.stem}: undisturbed", flush=True)
        seconds, first = undisturbed(notebook, parameters, place / "undisturbed")
        print(f"  {seconds:7.1f} s, of which {first:.1f} s until its first cell had run\n{notebook.stem}: killed")
        told = killed(notebook, parameters, place / "killed", moments_of(kills, seconds, first, seed))
        one, other = records_in(place / "undisturbed"), records_in(place / "killed")
        unlike = differences(one, other)
        arrays = sum(name.startswith("scores ") for parts in one.values() for name in parts)
        print(
            f"{notebook.stem}: killed {len(told) - 1} times in {sum(at for at, _ in told):.0f} s; {len(one)} records, "
            f"{arrays} arrays of scores, {len(unlike)} differences"
        )
        print("".join(f"  differs: {line}\n" for line in unlike), end="")
    raise typer.Exit(bool(unlike) or not one)


if __name__ == "__main__":
    typer.run(main)
