"""Complete configurations for real data. README.md lists them; ``make run CONFIG=examples/wages.yaml`` runs one."""
