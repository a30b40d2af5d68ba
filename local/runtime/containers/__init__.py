"""What takes a container's place: a root folder or changed paths, a Python of its own, environment variables."""
