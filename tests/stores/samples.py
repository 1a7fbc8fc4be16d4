"""Values the tests of this room share."""

from schemas.delivery import DeliveryReport, RenderMetrics
from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import OutputFiles


def delivered(edl_key: str = "edl.json") -> OutputFiles:
    metrics = RenderMetrics(
        duration_s=4.2,
        cuts_per_minute=0,
        mean_shot_s=4.2,
        b_roll_share=0,
        words_per_minute=150,
        removed_s=0,
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.5,
    )
    return OutputFiles(
        render_key="cd" * 32,
        video_key="o/p/j/v.mp4",
        video_bytes=1234,
        video_sha256="0" * 64,
        edl_key=edl_key,
        otio_key="o/p/j/v.otio",
        srt_key="o/p/j/v.srt",
        vtt_key="o/p/j/v.vtt",
        thumbnail_key="o/p/j/v.jpg",
        report=DeliveryReport(engine="test", frames=126, samples=201_600, checks=(), metrics=metrics),
    )


def failure(message: str = "The encoder stopped.") -> ErrorInfo:
    return ErrorInfo(code=ErrorCode.ENCODER_FAILED, message=message, retryable=True)
