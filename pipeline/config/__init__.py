"""The configuration: the models of config.yaml, the checks between its values, and reading the file."""
