"""The ``cinema`` command, its settings, and the embedded stack it runs.

Empty of imports, so that the smallest of the programs in here start at once.
"""
