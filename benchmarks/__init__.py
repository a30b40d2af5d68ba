"""Benchmarks, each compared with an alternative in the same run. ``make bench`` runs all, ``python -m`` one."""
