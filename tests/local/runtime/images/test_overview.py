"""What make doctor says of the environments of images."""

from __future__ import annotations

import pytest

from local.core.settings import Settings
from local.runtime.images import frameworks, overview
from local.runtime.images.table import IMAGES


def test_it_names_the_environments_that_are_made_and_the_pythons_that_are_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "find_interpreter", lambda version: None if version in ("3.7", "3.10") else "python")
    made = next(image for image in IMAGES if image.name == "scikit-learn 1.2-1")
    frameworks.folder(settings, made).mkdir(parents=True)
    text = "\n".join(overview.describe(settings))
    assert "Made: scikit-learn 1.2-1 (Python 3.9)." in text
    assert (
        "first needs them: scikit-learn 0.20.0, scikit-learn 0.23-1, scikit-learn 1.0-1, scikit-learn 1.4-2, " in text
    )
    assert "This machine lacks Python 3.7, 3.10, " in text


def test_nothing_is_said_of_what_is_not_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "find_interpreter", lambda _: "python")
    text = "\n".join(overview.describe(settings))
    assert "Made: " not in text
    assert "lacks" not in text
