"""The API: one method an operation, over bytes and records."""
