"""S3 with objects as plain files."""
