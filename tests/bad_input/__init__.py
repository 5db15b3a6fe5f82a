"""Bad input gets a clear 4xx as JSON; nothing is stored, and nothing is sent to Salesforce."""
