"""Parses and checks SageMaker pipeline definitions, and the AWS requests and hyperparameters that they contain.

This package imports only botocore, regex and the standard library.
"""
