"""Batches of runs, on a laptop, a machine of many GPUs or a cluster: `stillact run`, in short `make runs`.

In the order of what happens:

- `planning`: which runs a batch is (chapters x variants x worlds x seeds), which are finished, what is refused first;
- `schedule`: each run's process, here or on a Dask cluster, and where its record goes when it is whole;
- `one_run`: that process, which ends with whoever asked for it;
- `execution`: how a notebook is run, by papermill into a temporary file.
"""
