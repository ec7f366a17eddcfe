"""From data files to arrays: readers stream blocks of columns, encoders turn them into numbers."""
