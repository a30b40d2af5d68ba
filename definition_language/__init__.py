"""What a SageMaker pipeline definition is, and what AWS's models say of the requests behind it.

A leaf: it imports botocore, regex and the standard library only.
"""
