"""What ``make bench`` and ``make eval`` run: groups of measurements, each a file, each giving flat named figures."""
