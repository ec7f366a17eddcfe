"""From a config of spaCy's to one of ours."""
