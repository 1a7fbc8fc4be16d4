"""A shorter heartbeat time-out, so that waiting for it does not take most of the tests' time.

Must be applied before any workflow is imported. ``CINEMA_FAULTS_FULL=1`` runs the tests with the real one, and cuts the
network for as long as the requirement says.
"""

import os
from dataclasses import replace
from datetime import timedelta

import workflows.limits

FULL = os.environ.get("CINEMA_FAULTS_FULL") == "1"

#: Four heartbeats.
HEARTBEAT_TIMEOUT = workflows.limits.HEARTBEAT_TIMEOUT if FULL else timedelta(seconds=8)

#: How long the network is cut.
OUTAGE_SECONDS = 30.0 if FULL else 8.0


def apply() -> None:
    limits = workflows.limits
    limits.HEARTBEAT_TIMEOUT = HEARTBEAT_TIMEOUT
    limits.LIGHT = replace(limits.LIGHT, heartbeat=HEARTBEAT_TIMEOUT)
    limits.PROBE = replace(limits.PROBE, heartbeat=HEARTBEAT_TIMEOUT)
