"""``python -m local.algorithms.linear_learner ROOT ...``: train the jobs in SageMaker's ``/opt/ml`` folders."""

import os
import sys

# Set before numpy is imported. One BLAS thread is faster than two at these sizes, and jobs run in parallel.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

from local.algorithms.linear_learner.training import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
