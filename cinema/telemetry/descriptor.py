"""How a supervisor hands a process the socket on which it answers operators."""

#: Number of the listening socket that the process inherited, in its environment.
DESCRIPTOR = "CINEMA_TELEMETRY_DESCRIPTOR"
