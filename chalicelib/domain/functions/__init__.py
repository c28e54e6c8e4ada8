"""Functions: what one is, what waking it means, and what each call costs. Pure."""
