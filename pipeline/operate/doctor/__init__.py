"""Read-only checks of the account that the pipeline is to run in."""
