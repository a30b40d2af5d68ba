"""Imitates ``sagemaker_containers.beta``."""
