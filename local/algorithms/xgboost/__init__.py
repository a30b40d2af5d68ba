"""SageMaker's built-in XGBoost: the library itself, run under the contract of the image 3.2-0.

``python -m local.algorithms.xgboost ROOT ...`` trains models, and ``inference`` serves them. ``docs/xgboost.md`` says
what is done, and lists our choices. Source: https://github.com/aws/sagemaker-xgboost-container
"""
