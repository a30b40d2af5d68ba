"""The commands behind the Makefile: each reads its options from the environment, calls, and prints."""
