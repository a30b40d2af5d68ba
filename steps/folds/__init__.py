"""Cross-validation folds of CSV files, made of bytes: read -> judge -> number -> deal -> write.

A file is spans, a span is blocks, a block is rows. Nothing here needs Spark, which only hands the work out
(``make_folds.py``).
"""
