"""What holds for all tests.

Our templates are compiled once in a run, and not once for each of its thousands of sites. What was compiled is found by
the template's whole source, so that a template that is replaced is compiled anew.

No example of Hypothesis fails for the time it took: on a busy machine any may wait. Tests about time measure it.
"""

from __future__ import annotations

from functools import partial

from hypothesis import settings
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from consent.banner import banner


class Compiled(BytecodeCache):
    """Compiled templates in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


banner.Environment = partial(Environment, bytecode_cache=Compiled())
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
