"""MATLAB files, read in one way by all readers that meet them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stillact_lib.errors import StillactError


def read_mat(path: Path, what: str, names: Sequence[str], **options: bool) -> dict[str, Any]:
    """The variables `names` of a MATLAB file, those that it has; `what` it should be, for the message; `options` of
    `scipy.io.loadmat`. Raises StillactError for a file that is not there or cannot be read."""
    from scipy.io import loadmat  # here, so that readers without such files start without it

    try:
        return loadmat(path, appendmat=False, variable_names=list(names), **options)
    except FileNotFoundError:
        raise StillactError(f"{path}: no such file") from None
    except NotImplementedError:
        raise StillactError(f"{path}: a MATLAB file of version 7.3; in MATLAB, save it with -v7") from None
    except Exception as error:  # on damaged files scipy raises whatever its parser stumbles over
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StillactError(f"{path}: not {what} ({reason}); fetch it again") from None
