"""Ad preferences: which ads an account does not want to see, and by what they may be chosen."""
