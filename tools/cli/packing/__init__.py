"""From a folder to a zip: which files, the packages they need, one zip for one source."""
