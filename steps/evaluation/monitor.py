"""Writes what SageMaker Model Monitor and the model registry read: statistics, constraints, and the model's quality.

Formats: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-statistics.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.moments import Moments
from evaluation.rows import Block, Numbers

_KEPT = 2048
"""Values of a column that its sketch keeps, as Model Monitor's own sketches do."""

_FEWEST, _MOST = 128, 1 << 20
"""With many columns their sketches keep fewer values: 2048 of 5000 columns would make 215 MB of JSON."""

_BUCKETS = 10
_COMPARISON = {
    "perform_comparison": "Enabled",
    "comparison_threshold": 0.1,
    "comparison_method": "Robust",
}


class Sketch:
    """A sample of the rows: every n-th, where n is a power of two. Its values have the weight n."""

    def __init__(self) -> None:
        self._kept = _KEPT
        self._every, self._seen, self._rows = 1, 0, np.empty((0, 0))

    def add(self, block: Block) -> None:
        """Add rows."""
        first = -self._seen % self._every
        self._seen += len(block.labels)
        new = block.table[first :: self._every]
        self._kept = max(_FEWEST, min(_KEPT, _MOST // new.shape[1]))
        self._rows = new.copy() if not self._rows.size else np.concatenate([self._rows, new])
        while len(self._rows) > self._kept:
            self._rows, self._every = self._rows[::2].copy(), self._every * 2

    def distribution(self, column: int) -> dict[str, Any]:
        """Return a column's distribution as a KLL sketch, in which level n holds values of the weight 2**n."""
        values = np.sort(self._rows[:, column])
        level = self._every.bit_length() - 1
        counts, edges = _histogram(values)
        return {
            "kll": {
                "buckets": [
                    {"lower_bound": float(low), "upper_bound": float(high), "count": float(count * self._every)}
                    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
                ],
                "sketch": {
                    "parameters": {"c": 0.64, "k": float(self._kept)},
                    "data": [*([] for _ in range(level)), values.tolist()],
                },
            }
        }


def _histogram(values: Numbers) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return the counts and the edges of buckets of the same width, for sorted values.

    There is one bucket if the values are equal, or so large and close that no ten buckets fit between them.
    """
    edges = np.linspace(values[0], values[-1], _BUCKETS + 1)
    return np.histogram(values, edges if np.all(np.diff(edges) > 0) else values[[0, -1]])


def statistics(names: Sequence[str], total: Moments, sketch: Sketch, *, label_is_class: bool = False) -> dict[str, Any]:
    """Return the content of statistics.json.

    Args:
        names: the columns' names, the label first: Model Monitor takes the first columns for the endpoint's answer.
            https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-create-baseline.html
        total: the sums over all rows.
        sketch: a sample of the rows.
        label_is_class: whether the label is the number of a class.
    """
    means, deviations = total.means, total.deviations
    return {
        "version": 0.0,
        "dataset": {"item_count": total.rows},
        "features": [
            {
                "name": name,
                "inferred_type": _type(place, label_is_class),
                "numerical_statistics": {
                    "common": {"num_present": total.rows, "num_missing": 0},
                    "mean": float(means[place]),
                    "sum": float(means[place] * total.rows),
                    "std_dev": float(deviations[place]),
                    "min": float(total.lowest[place]),
                    "max": float(total.highest[place]),
                    "distribution": sketch.distribution(place),
                },
            }
            for place, name in enumerate(names)
        ],
    }


def constraints(names: Sequence[str], lowest: Numbers, *, label_is_class: bool = False) -> dict[str, Any]:
    """Return the content of constraints.json.

    Args:
        names: the columns' names, the label first.
        lowest: the columns' lowest values.
        label_is_class: whether the label is the number of a class.
    """
    return {
        "version": 0.0,
        "features": [
            {
                "name": name,
                "inferred_type": _type(place, label_is_class),
                "completeness": 1.0,
                "num_constraints": {"is_non_negative": bool(low >= 0)},
            }
            for place, (name, low) in enumerate(zip(names, lowest, strict=True))
        ],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": _COMPARISON,
        },
    }


def _type(place: int, label_is_class: bool) -> str:
    return "Integral" if label_is_class and not place else "Fractional"


def model_quality(mse: float | None, out_of_fold: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the content of model_quality.json for a label that is a number, which Studio draws.

    ``mse`` is the cross-validated estimate. The other metrics are those of the out-of-fold predictions, as are the
    standard deviations; without predictions these are not known.
    """
    values = {} if mse is None else {"mse": mse, "rmse": math.sqrt(mse)}
    deviations: Mapping[str, float | None] = {}
    if out_of_fold is not None:
        values |= {name: out_of_fold[name] for name in ("mae", "r2")}
        deviations = out_of_fold["standard_deviations"]
    return {
        "regression_metrics": {
            name: {"value": value, "standard_deviation": _or_nan(deviations.get(name))}
            for name, value in values.items()
        }
    }


def _or_nan(value: float | None) -> float | str:
    return "NaN" if value is None else value
