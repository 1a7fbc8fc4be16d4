"""Where an exported edit says that its media lies."""

from collections.abc import Callable, Mapping

from schemas.edl import EDL, Source

#: An address for each source: a function of the source, or a mapping from its id.
MediaUrl = Callable[[Source], str] | Mapping[str, str]


def media_urls(edl: EDL, media_url: MediaUrl) -> Mapping[str, str]:
    """The address of every source of an edit, by the source's id.

    Raises:
        KeyError: the mapping lacks a source.
    """
    return {source.id: media_url(source) if callable(media_url) else media_url[source.id] for source in edl.sources}
