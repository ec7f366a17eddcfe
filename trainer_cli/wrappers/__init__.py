"""Modules of other libraries as layers, one file each; importing this registers them, and none of the libraries."""
