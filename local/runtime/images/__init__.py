"""What takes the place of container images: Python environments, variables, entrypoints and files."""
