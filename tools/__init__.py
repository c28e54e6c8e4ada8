"""What developers run and production never packages: local AWS, `make run`, bootstrap."""
