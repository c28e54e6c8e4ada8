"""One CloudFormation stack: bring it to a template, read its outputs, delete it."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import ClientError

POLL_SECONDS = 2.0
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_NOTHING_NEW = ("didn't contain changes", "No updates are to be performed")


class StackError(Exception):
    """CloudFormation did not do it, and went back to what was; the text says why."""


class Source(NamedTuple):
    """A template: its text, or where it was uploaded (needed above 51,200 bytes)."""

    body: str = ""
    url: str = ""

    def argument(self) -> dict[str, str]:
        return {"TemplateURL": self.url} if self.url else {"TemplateBody": self.body}


class Stack:
    """A stack by name, whether it exists or not."""

    def __init__(self, name: str, region: str) -> None:
        self.name = name
        self._client = boto3.client("cloudformation", region_name=region)

    def status(self) -> str:
        """Return the stack's status, "" if there is none."""
        return str(self._described().get("StackStatus", ""))

    def outputs(self) -> dict[str, str]:
        outputs = self._described().get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def deploy(self, source: Source, parameters: Mapping[str, str], *, adopt: bool = False) -> bool:
        """Create or update the stack; return False if nothing was to be done.

        A parameter that is not named keeps its value. `adopt` takes resources that exist under
        the template's names into the stack, as after a destroy. Raises `StackError` after
        CloudFormation has rolled back.
        """
        status = self.status()
        is_new = status in ("", "REVIEW_IN_PROGRESS")
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):  # a first deploy that failed
            self.delete()
            is_new = True
        change_set = self._change_set(source, parameters, is_new=is_new, adopt=adopt)
        if change_set is None:
            return False
        self._client.execute_change_set(ChangeSetName=change_set)
        self._wait_until_settled(time.time())
        return True

    def delete(self) -> None:
        """Delete the stack, and wait. Raises `StackError`."""
        if not self.status():
            return
        stack_id = self._described()["StackId"]
        self._client.delete_stack(StackName=self.name)
        while True:
            found = self._client.describe_stacks(StackName=stack_id)["Stacks"]
            status = found[0]["StackStatus"] if found else "DELETE_COMPLETE"
            if status == "DELETE_COMPLETE":
                return
            if status.endswith("FAILED"):
                raise StackError(f"{self.name}: {status}\n{self._failures(stack_id)}")
            time.sleep(POLL_SECONDS)

    def _change_set(
        self, source: Source, parameters: Mapping[str, str], *, is_new: bool, adopt: bool
    ) -> str | None:
        """Return the id of a change set that can be executed, None if it would change nothing."""
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{uuid.uuid4().hex}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            Parameters=self._parameters(source, parameters, is_new=is_new),
            Capabilities=CAPABILITIES,
            **({"ImportExistingResources": True} if adopt else {}),
            **source.argument(),
        )
        change_set: str = made["Id"]
        while True:
            found = self._client.describe_change_set(ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return change_set
            if found["Status"] == "FAILED":
                self._client.delete_change_set(ChangeSetName=change_set)
                reason = found.get("StatusReason", "")
                if any(text in reason for text in _NOTHING_NEW):
                    return None
                raise StackError(f"{self.name}: {reason}")
            time.sleep(POLL_SECONDS)

    def _parameters(
        self, source: Source, given: Mapping[str, str], *, is_new: bool
    ) -> list[dict[str, Any]]:
        named = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
        if is_new:
            return named
        declared = self._client.get_template_summary(**source.argument())["Parameters"]
        before = {each["ParameterKey"] for each in self._described().get("Parameters", [])}
        kept = {each["ParameterKey"] for each in declared} & before - given.keys()
        return named + [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)]

    def _wait_until_settled(self, since: float) -> None:
        while (status := self.status()).endswith("IN_PROGRESS"):
            time.sleep(POLL_SECONDS)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise StackError(f"{self.name}: {status}\n{self._failures(self.name, since)}")

    def _failures(self, stack: str, since: float = 0.0) -> str:
        """Return the reasons of the failures, the first (which led to the others) first."""
        events = self._client.describe_stack_events(StackName=stack)["StackEvents"]
        return "\n".join(
            f"  {each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}"
            for each in reversed(events)
            if each["ResourceStatus"].endswith("_FAILED") and each["Timestamp"].timestamp() > since
        )

    def _described(self) -> dict[str, Any]:
        try:
            found = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return {}
            raise
        return dict(found[0]) if found else {}
