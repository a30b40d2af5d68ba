"""The paths of a container, and what they are on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.runtime.containers.container import local_path, map_paths

ROOT = Path("/jobs/one")


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        ("/opt/ml", "/jobs/one"),
        ("/opt/ml/model", "/jobs/one/model"),
        ("--out=/opt/ml/a,/opt/ml/b", "--out=/jobs/one/a,/jobs/one/b"),
        ("file:///opt/ml/a", "file:///jobs/one/a"),
        ('{"x": "/opt/ml/a"}', '{"x": "/jobs/one/a"}'),
        ("s3://bucket/opt/ml/a", "s3://bucket/opt/ml/a"),
        ("/home/opt/ml", "/home/opt/ml"),
        ("/opt/mlflow", "/opt/mlflow"),
    ],
)
def test_only_paths_of_the_container_are_mapped(given: str, mapped: str) -> None:
    assert map_paths(given, ROOT) == mapped
    assert map_paths([{"key": given}], ROOT) == [{"key": mapped}]


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ("/opt/ml/processing/in", "/jobs/one/processing/in"),
        ("/opt/ml/processing/", "/jobs/one/processing"),
        ("/opt/ml/a/../b", "/jobs/one/b"),
        ("/opt/ml/../x", None),
        ("/opt/mlx", None),
        ("relative", None),
    ],
)
def test_a_path_that_leaves_the_containers_folder_has_no_place(given: str, local: str | None) -> None:
    assert local_path(given, ROOT) == (None if local is None else Path(local))
