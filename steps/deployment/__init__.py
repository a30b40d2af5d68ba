"""Deploys model packages to endpoints: the package of the Lambda function deploy_endpoint.py.

Runs in AWS Lambda's Python 3.12, which has boto3. Imports nothing else of this repository.
"""
