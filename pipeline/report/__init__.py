"""The page about an execution: one HTML file with pictures, which needs no network and no script."""
