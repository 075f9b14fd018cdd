"""Following: whom one account follows, blocks and mutes."""
