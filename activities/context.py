"""What activities work with, handed in by the worker that hosts them."""

from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from activities.accelerators import GpuPolicy
from activities.judging import Judge
from activities.sandbox import SandboxLimits
from activities.speech import SpeechProcesses
from activities.webhook_sending import WebhookSending
from schemas.hardware import Hardware
from schemas.rendering import EncoderSettings, SegmentLengths
from schemas.speech import WhisperChoice
from stores import ObjectStore


@dataclass(frozen=True)
class ActivityContext:
    """One worker's connections, folders and limits.

    ``models`` caches model files between jobs; ``scratch`` holds working folders; ``whisper`` is which
    transcription model to ask for and how to run it, ``speech`` holds it; ``judge`` is whom to ask which of the
    candidates is best, or ``None`` for the built-in score alone.
    """

    database: asyncpg.Pool
    objects: ObjectStore
    models: Path
    scratch: Path
    webhooks: WebhookSending
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    segments: SegmentLengths = field(default_factory=SegmentLengths)
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    gpu: GpuPolicy = field(default_factory=GpuPolicy)
    hardware: Hardware = field(default_factory=Hardware)
    whisper: WhisperChoice = field(default_factory=WhisperChoice)
    speech: SpeechProcesses = field(default_factory=SpeechProcesses)
    judge: Judge | None = None
