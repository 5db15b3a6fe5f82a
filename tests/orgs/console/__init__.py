"""The console pages of registered orgs."""
