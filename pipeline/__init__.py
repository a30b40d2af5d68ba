"""The pipeline's definition as code: from config.yaml to definition JSON, and its publishing."""
