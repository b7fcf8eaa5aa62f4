"""What is handed to the thread that writes, and what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from consent.decision import Artefact
from consent.errors import NotRecorded
from consent.log.record import Draft
from consent.log.store import Store


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """What one caller waits for: a draft, an artefact, or a question to the store."""

    draft: Draft | None = None
    artefact: Artefact | None = None
    ask: Callable[[Store], Any] | None = None
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False
    answer: Any = None
    error: NotRecorded | None = None

    def finish(self, error: NotRecorded | None = None) -> None:
        """Let the caller go on, with this error if there is one."""
        self.error = error
        self.done.set()
