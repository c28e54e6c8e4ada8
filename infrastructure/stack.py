"""The stack: the packaged template taken in whole, its zip as an asset, its data as constructs.

Nothing is described twice. What `make package` made is what CDK deploys, so resources and grants
are those of `make deploy`; `table`, `bucket` and `function` are for constructs of your own.
"""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb, aws_lambda, aws_s3, aws_s3_assets, aws_sam
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct


class DormouseStack(cdk.Stack):
    """One stage. `package` is the folder that `make package` wrote."""

    def __init__(
        self, scope: Construct, name: str, package: Path, parameters: dict[str, Any] | None = None
    ) -> None:
        super().__init__(scope, name)
        self.included = CfnInclude(
            self, "Template", template_file=str(package / "template.json"), parameters=parameters
        )
        asset = aws_s3_assets.Asset(self, "Code", path=str(package / "deployment.zip"))
        for function in self._functions(package):
            function.code_uri = aws_sam.CfnFunction.S3LocationProperty(
                bucket=asset.s3_bucket_name, key=asset.s3_object_key
            )

    @property
    def table(self) -> aws_dynamodb.ITable:
        """The table, for grants to other constructs."""
        made = self.included.get_resource("DataTable")
        arn = made.get_att("Arn").to_string()
        stream = made.get_att("StreamArn").to_string()
        return aws_dynamodb.Table.from_table_attributes(
            self, "Table", table_arn=arn, table_stream_arn=stream
        )

    @property
    def bucket(self) -> aws_s3.IBucket:
        """The bucket of files."""
        made = self.included.get_resource("FilesBucket")
        return aws_s3.Bucket.from_bucket_arn(self, "Bucket", made.get_att("Arn").to_string())

    @property
    def function(self) -> aws_lambda.IFunction:
        """The function that answers."""
        made = self.included.get_resource("APIHandler")
        arn = made.get_att("Arn").to_string()
        return aws_lambda.Function.from_function_arn(self, "Function", arn)

    def _functions(self, package: Path) -> list[Any]:
        resources = json.loads((package / "template.json").read_text())["Resources"]
        return [
            self.included.get_resource(name)
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Serverless::Function"
        ]
