"""Storage on disk: the records, the objects of S3 and the logs."""
