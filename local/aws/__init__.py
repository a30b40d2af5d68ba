"""AWS's protocols: signatures, requests, responses, errors, and shapes from botocore's service models."""
