"""``python -m local.algorithms.xgboost ROOT ...``: train the jobs in SageMaker's ``/opt/ml`` folders."""

import os
import sys

# Set before XGBoost is imported. Several programs share the cores, and threads that wait must not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# XGBoost imports scikit-learn where it is installed, for estimators that are not used here. That takes four times as
# long as all else.
sys.modules["sklearn"] = None  # type: ignore[assignment]

from local.algorithms.xgboost.training import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
