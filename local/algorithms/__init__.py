"""SageMaker's built-in algorithms as libraries. Of ``local``, they import only ``local.core``."""
