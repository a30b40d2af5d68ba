from __future__ import annotations

from pathlib import Path

from local.runtime import algorithms

TEXT = (Path(__file__).resolve().parents[2] / "docs/xgboost.md").read_text()


def test_the_page_names_the_supported_image_and_the_locked_library() -> None:
    lock = (Path(__file__).resolve().parents[2] / "uv.lock").read_text()
    assert 'name = "xgboost-cpu"\nversion = "3.2.0"' in lock
    assert "`xgboost-cpu==3.2.0`" in TEXT
    assert "`sagemaker-xgboost:3.2-0`" in TEXT
    assert algorithms.find("x/sagemaker-xgboost:3.2-0") is not None
    assert algorithms.find("x/sagemaker-xgboost:3.0-5") is None
