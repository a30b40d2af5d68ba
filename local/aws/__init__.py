"""AWS's wire: signatures, requests, responses, errors, and shapes from botocore's service models."""
