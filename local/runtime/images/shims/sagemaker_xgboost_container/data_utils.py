"""Imitates ``data_utils``: from a channel's files to XGBoost's matrices."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import xgboost as xgb


def get_dmatrix(data_path: str, content_type: str, csv_weights: int = 0, is_pipe: bool = False) -> xgb.DMatrix | None:
    """Return the matrix of a file or folder, or None if there is none. Labels come first, then weights if there are.

    Raises:
        NotImplementedError: the local service does not imitate this content type, or pipes.
    """
    if not Path(data_path).exists():
        return None
    kind = content_type.partition(";")[0].strip().rpartition("/")[2].replace("x-", "")
    if is_pipe or kind not in ("csv", "libsvm"):
        raise NotImplementedError(f"the local service does not imitate get_dmatrix for {content_type} or pipes")
    files = [str(path) for path in sorted(Path(data_path).rglob("*")) if path.is_file()] or [data_path]
    if kind == "libsvm":
        return _libsvm(files)
    rows = np.concatenate([np.atleast_2d(np.genfromtxt(file, delimiter=",")) for file in files])
    weights = rows[:, 1] if csv_weights else None
    return xgb.DMatrix(rows[:, 2 if csv_weights else 1 :], label=rows[:, 0], weight=weights)


def _libsvm(files: list[str]) -> xgb.DMatrix:
    # XGBoost reads one file.
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "channel.libsvm")
        whole.write_text("".join(Path(file).read_text().rstrip("\n") + "\n" for file in files))
        return xgb.DMatrix(f"{whole}?format=libsvm")
