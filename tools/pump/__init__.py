"""The pump: on a developer's machine it does what event source mappings do on AWS."""
