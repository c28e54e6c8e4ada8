"""The headers that every answer carries, whatever went wrong. Measured on PocketBase 0.40.6."""

SECURITY = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
    "Vary": "Origin",
}
METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
ALL_METHODS = [*METHODS.split(","), "OPTIONS"]


def of_answer(request: dict[str, str]) -> dict[str, str]:
    """Return the security and CORS headers of an answer to these (lower-case) headers."""
    if "origin" in request:
        return {**SECURITY, "Access-Control-Allow-Origin": "*"}
    return SECURITY.copy()


def complete(answer: dict[str, str], request: dict[str, str]) -> None:
    """Add to an answer's headers; one with a policy of its own (a file) may be framed."""
    answer.update(of_answer(request))
    if "Content-Security-Policy" in answer:
        del answer["X-Frame-Options"]


def of_preflight(request: dict[str, str]) -> dict[str, str]:
    """Return the headers that answer an OPTIONS: any origin may send what it asked to send."""
    if "origin" not in request:
        return {"Vary": "Origin"}
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": METHODS,
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    wanted = request.get("access-control-request-headers", "")
    # Header names are ASCII; anything else could break, or split, the response.
    if wanted and wanted.isascii() and wanted.isprintable():
        headers["Access-Control-Allow-Headers"] = wanted
    return headers
