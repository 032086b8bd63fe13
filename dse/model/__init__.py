"""Language models: their shape, their size, and reading them from published files."""
