"""``python -m local.algorithms.linear_learner ROOT ...``: train the jobs in SageMaker's ``/opt/ml`` folders."""

import os
import sys

# Before numpy is loaded: two BLAS threads are slower than one at these sizes, and jobs run side by side.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

from local.algorithms.linear_learner.training import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
