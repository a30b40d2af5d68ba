"""The operations of the AWS services, one module or package for each service."""
