"""What every request and answer passes on its way: limits, checks, headers, and the log of who did what."""
