"""What a user configures: the models of config.yaml, their checks, and reading the file."""
