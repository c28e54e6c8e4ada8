"""The command line for functions: `python -m tools.cli --help`. docs/functions.md describes it.

Standard library only. One module per concern; `commands/` has one per noun. Results go to stdout,
everything said on the way to stderr, so that `--json` can be piped.
"""
