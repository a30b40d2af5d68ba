"""SageMaker's operations, one module a resource, validated and shaped by botocore's service model."""
