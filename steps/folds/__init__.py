"""Splits CSV files into cross-validation folds: read -> judge -> number -> deal -> write.

A file consists of spans, a span of blocks, a block of rows. Nothing here needs Spark; ``make_folds.py`` uses Spark only
to run the work in parallel.
"""
