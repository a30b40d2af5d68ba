"""Programs that serve models with the user's code."""
