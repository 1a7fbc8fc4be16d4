"""The embedded stack: Postgres, Temporal, the API, the dispatcher and the workers as children of one supervisor."""
