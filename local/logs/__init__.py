"""CloudWatch Logs, over files that a person can read."""
