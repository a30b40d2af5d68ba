"""Sets up ``.venv``. It runs before anything is installed, so it imports Python's standard library only."""
