"""The use cases: one module per noun, one function per verb; read, decide, write."""

from typing import TYPE_CHECKING

from chalicelib import lazy

if TYPE_CHECKING:
    from chalicelib.services import auth as auth
    from chalicelib.services import auth_rows as auth_rows
    from chalicelib.services import background_calls as background_calls
    from chalicelib.services import batch as batch
    from chalicelib.services import candidates as candidates
    from chalicelib.services import collection_search as collection_search
    from chalicelib.services import collections as collections
    from chalicelib.services import dead_letters as dead_letters
    from chalicelib.services import direct_uploads as direct_uploads
    from chalicelib.services import expand as expand
    from chalicelib.services import file_sweep as file_sweep
    from chalicelib.services import file_writes as file_writes
    from chalicelib.services import files as files
    from chalicelib.services import function_answers as function_answers
    from chalicelib.services import function_calls as function_calls
    from chalicelib.services import function_changes as function_changes
    from chalicelib.services import function_code as function_code
    from chalicelib.services import function_deploys as function_deploys
    from chalicelib.services import function_holds as function_holds
    from chalicelib.services import function_logs as function_logs
    from chalicelib.services import function_triggers as function_triggers
    from chalicelib.services import functions as functions
    from chalicelib.services import http_trigger as http_trigger
    from chalicelib.services import index_building as index_building
    from chalicelib.services import invocations as invocations
    from chalicelib.services import invoking as invoking
    from chalicelib.services import invoking_attempt as invoking_attempt
    from chalicelib.services import invoking_money as invoking_money
    from chalicelib.services import invoking_outcome as invoking_outcome
    from chalicelib.services import maintenance as maintenance
    from chalicelib.services import mfa as mfa
    from chalicelib.services import queue_delivery as queue_delivery
    from chalicelib.services import queue_posts as queue_posts
    from chalicelib.services import queues as queues
    from chalicelib.services import record_search as record_search
    from chalicelib.services import record_triggers as record_triggers
    from chalicelib.services import record_writes as record_writes
    from chalicelib.services import records as records
    from chalicelib.services import replays as replays
    from chalicelib.services import rules as rules
    from chalicelib.services import schedules as schedules
    from chalicelib.services import service_accounts as service_accounts
    from chalicelib.services import session as session
    from chalicelib.services import settings as settings
    from chalicelib.services import thumbs as thumbs
    from chalicelib.services import truncation as truncation
    from chalicelib.services import upload_bytes as upload_bytes
    from chalicelib.services import upload_claims as upload_claims
    from chalicelib.services import upload_joins as upload_joins
    from chalicelib.services import upload_sweep as upload_sweep
    from chalicelib.services import uploads as uploads
    from chalicelib.services import usage as usage
    from chalicelib.services import wakes as wakes

__getattr__ = lazy.modules(__name__)
