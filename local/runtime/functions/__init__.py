"""AWS Lambda on this machine: uploaded zip files run in separate processes."""
