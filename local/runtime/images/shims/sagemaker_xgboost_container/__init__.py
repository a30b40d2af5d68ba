"""Imitates what scripts import of sagemaker_xgboost_container, which is in no package index.

Source: https://github.com/aws/sagemaker-xgboost-container.
"""
