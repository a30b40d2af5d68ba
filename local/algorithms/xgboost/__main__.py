"""``python -m local.algorithms.xgboost ROOT ...``: train the jobs in SageMaker's ``/opt/ml`` folders."""

import os
import sys

# Set before XGBoost is imported. Several programs share the cores, and threads that wait must not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from local.algorithms.xgboost.training import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
