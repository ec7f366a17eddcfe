"""Many runs of one config with other values of some keys: which are tried, side by side, and what came of them."""
