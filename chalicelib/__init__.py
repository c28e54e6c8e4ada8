"""Dormouse: everything behind app.py, one package per floor (docs/architecture.md)."""
