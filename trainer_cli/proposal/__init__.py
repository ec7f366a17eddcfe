"""What to train on a data set: the target and the task, a use for each column, a model, and the config that says so."""
