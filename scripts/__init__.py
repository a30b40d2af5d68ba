"""The commands behind the Makefile. Each has a command line, whose options make passes on as variables."""
