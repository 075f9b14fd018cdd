"""Ad reports: what an account holds against an ad that it was shown."""
