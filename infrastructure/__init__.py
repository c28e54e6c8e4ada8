"""Dormouse as a CDK stack, for those who have other stacks to put beside it. Optional."""
