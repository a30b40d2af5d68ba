"""The AWS services that moto provides."""
