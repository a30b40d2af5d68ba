"""Built-in algorithms, reimplemented as libraries that import nothing else of ``local``."""
