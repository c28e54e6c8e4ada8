"""The event edge: what wakes the app without an HTTP request."""
