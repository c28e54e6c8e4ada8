"""Entry of the `cdk` command: `cdk deploy -c stage=dev`, after `make package STAGE=dev`."""

from pathlib import Path

import aws_cdk as cdk

from infrastructure.stack import DormouseStack

app = cdk.App()
stage = app.node.try_get_context("stage") or "dev"
package = Path(__file__).resolve().parents[1] / ".local" / "package" / stage
DormouseStack(app, f"dormouse-{stage}", package)
app.synth()
