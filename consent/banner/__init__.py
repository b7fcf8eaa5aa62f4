"""Everything a visitor reads: the notice, its confirmation, placeholders, the preferences page, the declaration."""

from consent.banner.banner import Banner
from consent.banner.view import View

__all__ = ["Banner", "View"]
