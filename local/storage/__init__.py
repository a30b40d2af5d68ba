"""What is on the disk: the record store, S3 objects and log files."""
