"""What serving scripts import from sagemaker-inference: https://github.com/aws/sagemaker-inference-toolkit ."""
