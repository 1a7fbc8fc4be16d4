"""The limits of processes that decode media, as the settings have them."""

from activities.sandbox import SandboxLimits
from cinema.settings import Settings


def sandbox_limits(settings: Settings) -> SandboxLimits:
    """For machines without a graphics processor, whose driver wants more addresses than these limits leave."""
    return SandboxLimits(
        memory_bytes=settings.sandbox_memory_bytes,
        file_bytes=settings.sandbox_file_bytes,
        environment=settings.sandbox_environment,
    )
