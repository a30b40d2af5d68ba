"""Imitates what scripts import of sagemaker-containers, which the images of scikit-learn and XGBoost have.

The package of PyPI needs Flask 1.1.1 and does not run from Python 3.10. Its successor sagemaker-training reads the
environment of training jobs. Source: https://github.com/aws/sagemaker-containers.
"""

from __future__ import annotations

from typing import Any


def training_env() -> Any:
    """Return the environment of the training job: its channels, hyperparameters, hosts and folders."""
    from sagemaker_training.environment import Environment  # noqa: PLC0415 - endpoints do without it

    return Environment()
