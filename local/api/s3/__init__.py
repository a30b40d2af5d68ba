"""S3, where an object is a plain file."""
