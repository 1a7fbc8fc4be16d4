"""How good the edits are: ``python -m benchmarks.quality`` measures them where the truth is known."""
