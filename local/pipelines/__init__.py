"""The interpreter of pipeline definitions: what turns definition JSON into jobs, models and endpoints."""
