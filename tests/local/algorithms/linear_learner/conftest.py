import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DATA = Path(__file__).parents[4] / "data"


@pytest.fixture(scope="session")
def insurance() -> np.ndarray:
    """The insurance dataset as numbers, label first, in an order that has nothing to do with the label."""
    lines = (DATA / "insurance.csv").read_text().splitlines()
    header, *records = [line.split(",") for line in lines]
    columns = {name: np.array(values) for name, values in zip(header, zip(*records, strict=True), strict=True)}
    numeric = [columns[name].astype(float) for name in ("charges", "age", "bmi", "children")]
    encoded = [columns[name] == value for name in ("sex", "smoker", "region") for value in sorted(set(columns[name]))]
    rows = np.column_stack([*numeric, *encoded]).astype(np.float64)
    return rows[np.random.default_rng(3).permutation(len(rows))]


@pytest.fixture
def rows() -> np.ndarray:
    """A small regression problem: 120 rows of a label and four features in very different units."""
    random = np.random.default_rng(5)
    features = random.normal(size=(120, 4)) * [1, 10, 0.1, 3] + [0, 50, 2, -4]
    label = features @ [3.0, -0.2, 5.0, 0.0] + 40 + random.normal(size=120)
    return np.column_stack([label, features])


def write_root(root: Path, hyperparameters: dict[str, str], channels: dict[str, dict[str, Any]]) -> Path:
    """Lay out a training job's /opt/ml folder; a channel is its config with ``files`` of bytes or of paths to link."""
    config = root / "input/config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"predictor_type": "regressor"} | hyperparameters))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    described = {}
    for name, channel in channels.items():
        channel = {"ContentType": "text/csv", "TrainingInputMode": "File", "RecordWrapperType": "None"} | channel
        for relative, content in channel.pop("files").items():
            path = root / "input/data" / name / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                os.link(content, path)
            else:
                path.write_bytes(content)
        described[name] = channel
    (config / "inputdataconfig.json").write_text(json.dumps(described))
    return root


def csv(rows: np.ndarray) -> bytes:
    return b"".join(b",".join(repr(float(value)).encode() for value in row) + b"\n" for row in rows)


@pytest.fixture
def make_root(tmp_path) -> Callable[..., Path]:
    """Make /opt/ml folders named root-0, root-1, ... under the test's folder."""
    made: list[Any] = []

    def make(hyperparameters: dict[str, str], **channels: dict[str, Any]) -> Path:
        made.append(write_root(tmp_path / f"root-{len(made)}", hyperparameters, channels))
        return made[-1]

    return make
