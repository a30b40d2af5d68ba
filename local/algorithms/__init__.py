"""SageMaker's built-in algorithms, reimplemented as libraries. Of ``local``, they import only ``local.core``."""
