"""What serving scripts import from sagemaker-containers, which does not install on Python 3.10 and later.

Source: https://github.com/aws/sagemaker-containers
"""
