"""See ``sagemaker_containers``."""
