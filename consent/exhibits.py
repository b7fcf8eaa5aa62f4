"""What visitors are shown, archived before it is first used, and found again by the digest a form carries."""

from __future__ import annotations

import logging
import time
from typing import Final

from consent.decision import Artefact, Recorder
from consent.errors import NotRecorded

_RETRY: Final = 5.0  # seconds between attempts while the log can't be written
_MOST: Final = 1000  # artefacts kept in memory
_log = logging.getLogger("consent")


class Exhibits:
    """Keeps every artefact in the log before a page shows it; what was never shown here can't be answered."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._kept: dict[str, Artefact] = {}
        self._archived: set[str] = set()
        self._retry_at = 0.0

    def keep(self, artefact: Artefact) -> None:
        """Archive what is about to be shown. While that fails the page still shows it, but nothing can be granted."""
        digest = artefact.digest
        if digest in self._archived:
            return
        if len(self._kept) < _MOST:
            self._kept.setdefault(digest, artefact)
        if time.monotonic() < self._retry_at:
            return
        try:
            self.archive(artefact)
        except NotRecorded as error:
            self._retry_at = time.monotonic() + _RETRY
            _log.error("What visitors are shown could not be archived, so nothing can be granted: %s", error)

    def archive(self, artefact: Artefact) -> None:
        """Archive it now if it isn't yet; raises :class:`NotRecorded`."""
        if artefact.digest not in self._archived:
            self._recorder.archive(artefact)
            self._archived.add(artefact.digest)

    def find(self, digest: str) -> Artefact | None:
        """What a form was rendered from, by this process or another; ``None`` if nobody ever showed that."""
        if digest in self._kept:
            return self._kept[digest]
        look_up = getattr(self._recorder, "artefact", None)  # a recorder may be one that only writes
        if len(digest) != 64 or look_up is None:
            return None
        try:
            found: Artefact | None = look_up(digest)
        except NotRecorded:
            return None
        if found is not None and len(self._kept) < _MOST:
            self._kept[digest] = found
            self._archived.add(digest)
        return found
