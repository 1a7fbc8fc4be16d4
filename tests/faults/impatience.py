"""A shorter heartbeat time-out and shorter pauses, so that waiting for them does not take most of the tests' time.

Must be applied before any workflow is imported. ``CINEMA_FAULTS_FULL=1`` runs the tests with the real ones, and cuts
the network for as long as the requirement says.
"""

import os
from dataclasses import replace
from datetime import timedelta

import activities.patience
import stores.making_rights
import workflows.limits

FULL = os.environ.get("CINEMA_FAULTS_FULL") == "1"

#: Four heartbeats.
HEARTBEAT_TIMEOUT = workflows.limits.HEARTBEAT_TIMEOUT if FULL else timedelta(seconds=8)

#: After what silence somebody else may make what a worker was making.
LONGEST_SILENCE = stores.making_rights.LONGEST_SILENCE if FULL else HEARTBEAT_TIMEOUT

#: The longest pause between two attempts at a step that met an outage.
LONGEST_PAUSE = activities.patience.LONGEST_WAIT if FULL else 1.0

#: How long the network is cut.
OUTAGE_SECONDS = 30.0 if FULL else 8.0


def apply() -> None:
    limits = workflows.limits
    activities.patience.LONGEST_WAIT = LONGEST_PAUSE
    stores.making_rights.LONGEST_SILENCE = LONGEST_SILENCE
    stores.making_rights.SIGN_INTERVAL = LONGEST_SILENCE / 8
    limits.HEARTBEAT_TIMEOUT = HEARTBEAT_TIMEOUT
    limits.LIGHT = replace(limits.LIGHT, heartbeat=HEARTBEAT_TIMEOUT)
    limits.PROBE = replace(limits.PROBE, heartbeat=HEARTBEAT_TIMEOUT)
