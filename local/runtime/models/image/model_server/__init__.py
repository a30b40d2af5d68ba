"""Serves a model over HTTP as SageMaker's framework containers do."""
