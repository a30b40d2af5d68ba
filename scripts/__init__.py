"""The commands behind the Makefile. Each reads its options from the environment and prints its results."""
