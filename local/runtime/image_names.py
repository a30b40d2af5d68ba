"""The parts of a container image's URI."""

from __future__ import annotations


def repository(image: str) -> str:
    """Return the repository's name from an image's URI: ``linear-learner`` for ``<registry>/linear-learner:1``."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def tag(image: str) -> str:
    """Return the tag from an image's URI: ``1`` for ``<registry>/linear-learner:1``; empty if there is none."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]
