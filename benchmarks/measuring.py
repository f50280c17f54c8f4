"""How the benchmarks measure: peers interleaved in one process, best of several rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def best_of(
    work: dict[str, Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds of each piece of work: its best of `rounds`, the pieces taking turns so that a busy spell hits all. Work
    that takes minutes is measured once, by a `clock` of the processor's time (`time.process_time`)."""
    seconds = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, piece in work.items():
            began = clock()
            piece()
            seconds[name] = min(seconds[name], clock() - began)
    return seconds


def copy_bandwidth(megabytes: int = 128) -> float:
    """Bytes a second, read and written, of copying arrays that no cache holds, on one core."""
    source = np.ones(megabytes << 18, np.float32)
    target = np.zeros_like(source)
    return 2 * source.nbytes / best_of({"copy": lambda: np.copyto(target, source)})["copy"]


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
