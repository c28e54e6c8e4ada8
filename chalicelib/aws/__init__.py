"""The world outside: one module per AWS service, each naming its IAM actions."""

from typing import TYPE_CHECKING

from chalicelib import lazy

if TYPE_CHECKING:
    from chalicelib.aws import account as account
    from chalicelib.aws import connections as connections
    from chalicelib.aws import control as control
    from chalicelib.aws import credentials as credentials
    from chalicelib.aws import dynamodb as dynamodb
    from chalicelib.aws import dynamodb_calls as dynamodb_calls
    from chalicelib.aws import dynamodb_errors as dynamodb_errors
    from chalicelib.aws import dynamodb_reads as dynamodb_reads
    from chalicelib.aws import dynamodb_writes as dynamodb_writes
    from chalicelib.aws import event_sources as event_sources
    from chalicelib.aws import lambda_functions as lambda_functions
    from chalicelib.aws import lambda_invoke as lambda_invoke
    from chalicelib.aws import lean_response as lean_response
    from chalicelib.aws import log_groups as log_groups
    from chalicelib.aws import logs as logs
    from chalicelib.aws import parameters as parameters
    from chalicelib.aws import retries as retries
    from chalicelib.aws import roles as roles
    from chalicelib.aws import s3 as s3
    from chalicelib.aws import s3_files as s3_files
    from chalicelib.aws import s3_multipart as s3_multipart
    from chalicelib.aws import scheduler as scheduler
    from chalicelib.aws import sigv4 as sigv4
    from chalicelib.aws import sqs as sqs
    from chalicelib.aws import sqs_queues as sqs_queues

__getattr__ = lazy.modules(__name__)
