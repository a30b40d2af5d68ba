"""Turn the weighted sums of a linear model into the scores that its container returns."""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

IDENTITY: Final = "LinearRegressionOutput"
LOGISTIC: Final = "LogisticRegressionOutput"
SOFTMAX: Final = "SoftmaxOutput"
HINGE: Final = "SVMOutput"
OUTPUT_OF_LOSS: Final = {"logistic": LOGISTIC, "hinge_loss": HINGE, "softmax_loss": SOFTMAX}
"""The output operators of MXNet, by the loss with which a classifier was trained."""


def scores_of(output: str, sums: Array) -> Array:
    """Return the scores of rows.

    Args:
        output: MXNet's output operator. A score is a probability for ``LOGISTIC`` and ``SOFTMAX``, else the sum.
        sums: The weighted sums with the bias, of any shape; for ``SOFTMAX``, the last axis has the classes.

    Returns:
        The scores, of the same shape, rounded to float32 like the container's.
    """
    # An overflow gives a score that is infinite or not a number. The caller refuses both.
    with np.errstate(all="ignore"):
        if output == LOGISTIC:
            small = np.exp(-np.abs(sums))
            sums = np.where(sums >= 0, 1.0, small) / (1.0 + small)
        if output == SOFTMAX:
            powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
            sums = powers / powers.sum(axis=-1, keepdims=True)
        return sums.astype(np.float32).astype(np.float64)
