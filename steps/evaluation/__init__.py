"""What cross-validation says about the trained models: the package of select_best.py and verify_endpoint.py.

Runs in SageMaker's scikit-learn container (Python 3.12, boto3, numpy, scipy). Imports nothing else of this repository.
"""

import os

# Before numpy is imported. The matrices have few columns: the threads of BLAS wait for each other longer than they
# compute. On a busy machine, logistic regression took twelve times as much processor time with two threads as with one.
for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Threads of XGBoost that have nothing to do wait without turning a processor: beside other jobs, these took 30 times as
# much processor time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
