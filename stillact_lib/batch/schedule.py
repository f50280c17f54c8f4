"""A batch's runs, each in a process of its own, here or on a Dask cluster; each kept when it is whole.

A run's record lies in a folder of its own until its last cell has run, then it moves to where records are kept, and a
stamp says which run it was and by which code. So a batch that is stopped at any moment goes on when it is started
again: finished runs are skipped, one that was running resumes at its checkpoints, what failed is repeated on request.
The machines of a cluster have to see the project and the workspace under the same names.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import cpu_count

from stillact_lib.batch.planning import Run
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import kept_records_folder
from stillact_lib.paths import project_root, workspace, written_whole

#: the processes of runs that this one has started, to be told that it ends
_STARTED: set[subprocess.Popen] = set()


@contextmanager
def on_this_machine(jobs: int = 0) -> Iterator[Executor]:
    """Runs so many runs at a time (0: one on each GPU, or one); each sees a GPU of its own where there are any, and its
    share of the processors."""
    gpus = _gpus()
    jobs = jobs or max(1, len(gpus))
    slots: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in range(jobs):
        slots.put(gpus[number % len(gpus)] if gpus else "")
    with ThreadPoolExecutor(jobs) as threads:
        try:
            yield _Slots(threads, slots, jobs)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            for process in list(_STARTED):
                process.stdin.close()  # it saves what it is at, and ends
            raise


def _gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [name for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip() not in ("", "-1")]
    from torch.cuda import device_count

    return [str(number) for number in range(device_count())]


class _Slots(Executor):
    """Threads of which each, for as long as it is at a run, has one of the slots."""

    def __init__(self, threads: Executor, slots: queue.SimpleQueue[str], jobs: int):
        self.threads, self.slots, self.jobs = threads, slots, jobs

    def submit(self, function: Any, request: dict[str, Any]) -> Future:
        return self.threads.submit(self._in_a_slot, function, request)

    def _in_a_slot(self, function: Any, request: dict[str, Any]) -> dict[str, Any]:
        slot = self.slots.get()
        own = {"CUDA_VISIBLE_DEVICES": slot} if slot else {}
        if "OMP_NUM_THREADS" not in os.environ:
            own["OMP_NUM_THREADS"] = str(max(1, cpu_count() // self.jobs))
        alone = {"prefix": ""} if self.jobs == 1 else {}
        try:
            return function(request | alone | {"environment": own | request["environment"]})
        finally:
            self.slots.put(slot)


@contextmanager
def on_a_cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster. Where any declares the resource GPU, each run asks for one of it.

    Raises StillactError where `distributed` is not installed or nobody answers at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StillactError("--scheduler: Dask is not installed; pip install 'stillact[dask]'") from None
    try:
        client = Client(address, timeout=20)
    except (OSError, ValueError) as error:
        raise StillactError(f"--scheduler {address}: no scheduler answers there ({error})") from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            print(f"{address}: the cluster has no workers yet; runs begin when it has", file=sys.stderr, flush=True)
        gpu = {"GPU": 1} if any("GPU" in worker["resources"] for worker in workers) else None
        yield client.get_executor(pure=False, resources=gpu)


def run_batch(
    runs: Sequence[Run], *, keep: bool, executor: Executor, repeat_failed: bool = False
) -> list[tuple[str, float, str]]:
    """Runs what is not finished; returns (run, seconds, state) of all, in their order. One that fails ends no batch."""
    records = kept_records_folder() if keep else workspace() / "records"
    states: dict[str, tuple[float, str]] = {}
    waiting: dict[Future, Run] = {}
    for run in runs:
        if run.finished:
            states[run.name] = run.stamped["seconds"], "finished before"
        elif run.failure and not repeat_failed:
            states[run.name] = 0.0, f"failed before: {run.failure}"
        else:
            waiting[executor.submit(carry_out, _request(run))] = run
    for number, future in enumerate(as_completed(waiting), start=1):
        run = waiting[future]
        states[run.name] = _concluded(run, future.result(), records)
        seconds, state = states[run.name]
        print(f"{run.name}: {state}, {seconds:,.0f} s; {number} of {len(waiting)} runs", flush=True)
    return [(run.name, *states[run.name]) for run in runs]


def _request(run: Run) -> dict[str, Any]:
    """What the process of a run has to know, in JSON."""
    own = run.own_folder
    own.mkdir(parents=True, exist_ok=True)
    environment = {
        "STILLACT_LIVE": "0",
        "STILLACT_RECORDS": str(own),
        "STILLACT_KEPT_SINCE": str(run.stamped.get("since", 0)),
        "STILLACT_WORKSPACE": str(workspace().resolve()),
    }
    if "STILLACT_REHEARSE" in os.environ:
        environment["STILLACT_REHEARSE"] = os.environ["STILLACT_REHEARSE"]
        environment["STILLACT_REHEARSED"] = str(run.rehearsed)
        run.rehearsed.unlink(missing_ok=True)
    return {
        "name": run.name,
        "prefix": f"{run.name}: ",
        "notebook": str(run.notebook),
        "target": str(run.stamp.with_suffix(".ipynb")),
        "parameters": run.parameters,
        "environment": environment,
        "log": str(run.stamp.with_suffix(".log")),
        "lock": str(run.stamp.with_suffix(".lock")),
        "outcome": str(own.with_suffix(".outcome")),
    }


def carry_out(request: dict[str, Any]) -> dict[str, Any]:
    """Starts the process of a run, waits for its end, and returns what it told: {"seconds"}, {"failed"} or {"stopped"}.
    Its lines go to its log and to this process's output, with its name before them where others run beside it."""
    print(f"{request['name']}: begins", flush=True)
    outcome = Path(request["outcome"])
    outcome.unlink(missing_ok=True)
    command = [sys.executable, "-m", "stillact_lib.batch.one_run"]
    environment = os.environ | request["environment"] | {"PYTHONPATH": _python_path()}
    with (
        Path(request["log"]).open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for the batch, which tells its runs
        ) as process,
    ):
        _STARTED.add(process)
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                log.write(line)
                log.flush()
                print(f"{request['prefix']}{line.rstrip()}", flush=True)
            process.wait()
        finally:
            _STARTED.discard(process)
    if not outcome.is_file():
        return {"stopped": f"its process ended with {process.returncode}"}
    return json.loads(outcome.read_text(encoding="utf-8"))


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(project_root()), os.environ.get("PYTHONPATH")]))


def _concluded(run: Run, outcome: dict[str, Any], records: Path) -> tuple[float, str]:
    """(seconds, state) of a run that has ended, when its stamp says so, and its record lies where records are kept."""
    since = {"since": run.stamped.get("since", 0)}
    if "seconds" not in outcome:
        what, told = next(iter(outcome.items()))
        if what == "failed":
            run.write_stamp({"identity": run.identity, "failed": told} | since)
        return 0.0, f"{what}: {told}"
    own, seconds = run.own_folder, round(outcome["seconds"], 1)
    kept = [_moved(path, records / path.relative_to(own)) for path in _scores_first(own)]
    run.write_stamp({"identity": run.identity, "seconds": seconds, "records": [str(path) for path in kept]} | since)
    for older in run.stamp.parent.glob(f"{run.name}-*"):
        shutil.rmtree(older) if older.is_dir() else older.unlink()
    return seconds, "done"


def _scores_first(folder: Path) -> list[Path]:
    """A record comes last: where it lies, all that it names lies too."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.suffix == ".json")


def _moved(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as temporary:
        shutil.copyfile(source, temporary)
    return target
