"""The blueprints of functions, queues and usage: imported when a request first asks for one."""

from chalicelib.routes.fn import fn_api
from chalicelib.routes.functions import functions_api
from chalicelib.routes.invocations import invocations_api
from chalicelib.routes.queues import queues_api
from chalicelib.routes.usage import usage_api

BLUEPRINTS = (functions_api, invocations_api, queues_api, fn_api, usage_api)
