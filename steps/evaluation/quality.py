"""Says how good a model is, and whether it is better than predicting the same for every row.

The pipeline's step RejectModel puts these sentences into its message: a Fail step can join texts, but neither compare
nor round numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.estimate import CONFIDENCE
from evaluation.objective import Objective
from evaluation.text import readable


def quality_sentences(best: Mapping[str, Any], objective: Objective) -> dict[str, str]:
    """Return ``quality`` of best.json.

    Args:
        best: the content of best.json so far, with ``estimate``, ``baselines`` and ``classes``.
        objective: the objective.

    Returns:
        ``estimate``, the estimate with its interval; and ``baseline``, how it compares with predicting the same for
        every row.
    """
    estimate, constant = best["estimate"], best["baselines"]["constant"]
    sentence = f"The estimated {objective.title} of the chosen model is {readable(estimate['value'])}"
    if estimate["low"] is not None:
        sentence += (
            f", with a {100 * CONFIDENCE:g} % interval from {readable(estimate['low'])} to {readable(estimate['high'])}"
        )
    return {"estimate": f"{sentence}.", "baseline": _comparison(estimate["value"], constant, objective, best)}


def _comparison(value: float, constant: float | None, objective: Objective, best: Mapping[str, Any]) -> str:
    what = f"that of always predicting {'the class rates' if best['classes'] else 'the mean'}"
    better = "above" if objective.maximize else "below"
    if constant is None:
        return f"It must be {better} {what}, which is not known."
    verdict = "it is" if objective.is_better(value, constant) else "it is not"
    return f"It must be {better} {what}, {readable(constant)}, and {verdict}."
