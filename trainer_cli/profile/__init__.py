"""What the columns of a data set hold, found while its rows stream by."""

from trainer_cli.profile.column import ColumnProfile
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.profile.profile import Profile, profile

__all__ = ["ColumnFacts", "ColumnProfile", "Profile", "profile"]
