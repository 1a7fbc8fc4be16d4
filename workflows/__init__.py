"""Temporal workflows: order, fan-out, retries and partial success; deterministic code only."""
