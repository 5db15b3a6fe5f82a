"""The console pages of pools, assignments and first steps."""
