"""Errors that a client may see, each with the HTTP status PocketBase gives it.

ApiError                     500  unknown trouble; the message never carries internals
├── BadRequestError          400  malformed input; `data` maps a field's name to its error
├── UnauthorizedError        401  a token is needed
├── ForbiddenError           403  the caller may not (a null rule, a switched-off feature)
├── NotFoundError            404  absent, or hidden from this caller by a rule
├── TooLargeError            413  the body is over the limit
├── TooManyRequestsError     429  slow down, or a cap is reached
├── NotServedError           501  part of PocketBase's API that Dormouse does not serve
├── BadGatewayError          502  a function failed, or answered what is no HTTP answer
├── GatewayTimeoutError      504  a function took too long
└── UnavailableError         503  the database did not answer in time; nothing was written, unless
                                  `aws.retries.OutcomeUnknownError` says that it may have been

Services and the domain raise them; `routes.api` and `web` turn them into responses.
Default messages and the shape of `data`: measured on PocketBase 0.40.6.
"""

from typing import Any

ErrorData = dict[str, Any]


class ApiError(Exception):
    """`message` is shown to the client; `data` maps names to `field_error`s, and may nest."""

    status = 500
    default_message = "Something went wrong while processing your request."

    def __init__(self, message: str = "", data: ErrorData | None = None) -> None:
        super().__init__(message or self.default_message)
        self.data: ErrorData = data or {}

    def body(self) -> dict[str, Any]:
        """Return PocketBase's error envelope."""
        return {"data": self.data, "message": sentence(str(self)), "status": self.status}


class BadRequestError(ApiError):
    status = 400


class UnauthorizedError(ApiError):
    status = 401
    default_message = "Missing or invalid authentication."


class ForbiddenError(ApiError):
    status = 403
    default_message = "You are not allowed to perform this request."


class NotFoundError(ApiError):
    status = 404
    default_message = "The requested resource wasn't found."


class TooLargeError(ApiError):
    status = 413
    default_message = "Request entity too large."


class TooManyRequestsError(ApiError):
    status = 429
    default_message = "Too Many Requests."


class NotServedError(ApiError):
    status = 501
    default_message = "Dormouse does not serve this part of the API."


class BadGatewayError(ApiError):
    status = 502
    default_message = "The function failed."


class GatewayTimeoutError(ApiError):
    status = 504
    default_message = "The function took too long."


class UnavailableError(ApiError):
    status = 503
    default_message = "The database did not answer in time. Please try again."


def sentence(text: str) -> str:
    """Return `text` as PocketBase prints it: a capital first letter and a final stop."""
    text = text.strip()
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def field_error(code: str, message: str, params: dict[str, Any] | None = None) -> ErrorData:
    """Return one field's error: `{code, message, params?}`."""
    error: ErrorData = {"code": code, "message": sentence(message)}
    if params is not None:
        error["params"] = params
    return error
