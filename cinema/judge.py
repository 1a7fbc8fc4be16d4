"""The judge of candidates that this installation asks, as its settings say."""

from activities.judging import Judge, LanguageModel
from cinema.settings import Settings


def judge(settings: Settings) -> Judge | None:
    """Whom to ask, or ``None`` where nobody is to be asked."""
    if settings.judge_url is None or settings.judge_model is None:
        return None
    return LanguageModel(
        url=settings.judge_url,
        model=settings.judge_model,
        bearer=settings.judge_key,
        timeout_s=settings.judge_timeout_seconds,
    )
