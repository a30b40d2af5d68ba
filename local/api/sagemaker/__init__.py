"""SageMaker's operations, one module for each kind of resource.

Botocore's service model validates requests and shapes responses.
"""
