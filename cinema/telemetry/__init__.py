"""What an operator sees of a running process: traces, metrics, and whether it lives and can work."""
