"""The algorithms by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.algorithms import linear_learner, xgboost
from pipeline.algorithms.algorithm import Algorithm

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    algorithm.name: algorithm for algorithm in (linear_learner.ALGORITHM, xgboost.ALGORITHM)
}
"""The algorithms by their names in the configuration."""

DEFAULT: Final = linear_learner.ALGORITHM.name
"""The algorithm of a configuration that names none."""


def of_best(best: Mapping[str, Any]) -> Algorithm:
    """Return the algorithm of an execution. An older SelectBest knew the default one only.

    Args:
        best: the content of best.json.
    """
    return ALGORITHMS[best.get("algorithm", DEFAULT)]


def foreign_modules(name: str) -> frozenset[str]:
    """Return the modules of steps/ that the programs for an algorithm go without."""
    return frozenset(module for other in ALGORITHMS.values() if other.name != name for module in other.program_modules)


def of_image(image: str) -> Algorithm | None:
    """Return the algorithm of an image, or None if it is none of these.

    Args:
        image: the image's URI.
    """
    repository = image.rpartition("/")[2].partition(":")[0]
    return next((found for found in ALGORITHMS.values() if repository == found.repository), None)
