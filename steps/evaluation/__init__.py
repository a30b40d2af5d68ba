"""What cross-validation says about the trained models: the package of select_best.py and verify_endpoint.py.

Runs in SageMaker's scikit-learn container (Python 3.12, boto3, numpy, scipy). Imports nothing else of this repository.
"""
