"""``python -m local.algorithms.xgboost.probe < model``: load a model and predict with it, in a process of its own.

The library can end its process over a damaged model, and the process must not be the service's.
"""

import os
import sys

# See __main__.py.
sys.modules["sklearn"] = None  # type: ignore[assignment]

import xgboost  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

from local.algorithms.xgboost.channels import first_lines  # noqa: E402


def main() -> int:
    """Return 0 if the model on the standard input loads and predicts; else print why not."""
    try:
        booster = xgboost.Booster()
        booster.load_model(bytearray(sys.stdin.buffer.read()))
        booster.set_param({"nthread": 1})
        rows = xgboost.DMatrix(csr_matrix((2, booster.num_features())), nthread=1)
        booster.predict(rows, validate_features=False)
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        print(first_lines(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # The library's threads may be in a bad state, and their end is not waited for.
    os._exit(status)
