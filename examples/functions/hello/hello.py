"""Greets whoever the event names. The handler has the shape of those in AWS's own documentation."""

from typing import Any


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Return a greeting; over HTTP a plain value like this one is answered as JSON."""
    query = event.get("queryStringParameters") or {}
    name = event.get("name") or query.get("name") or "world"
    print(f"Greeting {name} with {context.get_remaining_time_in_millis()} ms left")
    return {"message": f"Hello, {name}!"}
