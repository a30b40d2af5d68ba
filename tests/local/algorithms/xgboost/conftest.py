import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def rows() -> np.ndarray:
    """A label and four features, one of which is sometimes missing."""
    random = np.random.default_rng(11)
    features = random.normal(size=(300, 4)) * [1, 10, 0.1, 3]
    label = np.where(features[:, 0] > 0.2, 5.0, -3.0) + features[:, 1] ** 2 / 50 + random.normal(size=300)
    features[::7, 3] = np.nan
    return np.column_stack([label, features])


def csv(rows: np.ndarray) -> bytes:
    return b"".join(b",".join(_field(value) for value in row) + b"\n" for row in rows)


def _field(value: float) -> bytes:
    return b"" if np.isnan(value) else repr(float(value)).encode()


def text(content: Any, content_type: str = "text/csv", **changes: str) -> dict[str, Any]:
    files = content if isinstance(content, dict) else {"part-0": content}
    return {"ContentType": content_type, "TrainingInputMode": "File", "files": files} | changes


@pytest.fixture
def make_root(tmp_path: Path) -> Callable[..., Path]:
    """Make /opt/ml folders of training jobs."""
    made: list[Path] = []

    def make(hyperparameters: dict[str, str], **channels: dict[str, Any]) -> Path:
        root = tmp_path / f"root-{len(made)}"
        made.append(root)
        config = root / "input/config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        described = {}
        for name, channel in channels.items():
            for relative, content in channel.pop("files").items():
                path = root / "input/data" / name / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            (root / "input/data" / name).mkdir(parents=True, exist_ok=True)
            described[name] = channel
        (config / "inputdataconfig.json").write_text(json.dumps(described))
        return root

    return make


def failure(root: Path) -> str:
    return (root / "output/failure").read_text()
