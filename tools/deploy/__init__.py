"""From the sources to a live stack: package, deploy, bootstrap, destroy. Never packaged itself.

Each module is a command of its own; docs/deploy.md shows them as make targets.
"""
