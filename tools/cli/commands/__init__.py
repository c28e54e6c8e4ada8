"""One module per noun; each adds its commands to the parser and runs them."""
