"""What Chalice lacks: PocketBase-shaped answers everywhere, bodies, fallback routes, adapters."""
