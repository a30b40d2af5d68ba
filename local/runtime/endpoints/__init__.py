"""Models in service: what an endpoint holds, how it changes, what it captures."""
