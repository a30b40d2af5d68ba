"""The services' operations: one module or package for each AWS service, each with one table of operations."""
