"""What the tutorial says that its reader will see."""

import re
from pathlib import Path

from app import app

FRAME = ' src="https://www.youtube.com/embed/M7lc1UVf-VE"'
SCRIPT = ' src="https://stats.harbour-tools.example/matomo.js"'
BROWSER = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}

client = app.test_client()
page = client.get("/", headers=BROWSER).text
assert "data-consent-banner" in page
assert FRAME not in page
assert SCRIPT not in page
assert "data-consent-src" in page
assert "Load once" in page
assert "Always show YouTube" in page
assert page.index("Cookie settings", page.index("</main>")) < page.index("</footer>")


def answer(page: str, **fields: object) -> str:
    artefact = re.search(r'name="artefact" value="([0-9a-f]{64})"', page)
    assert artefact
    data = {"artefact": artefact[1], "next": "/", **fields}
    reply = client.post("/consent/", data=data, headers=BROWSER)
    assert reply.status_code == 303, reply.text
    return client.get(reply.headers["Location"], headers=BROWSER).text


page = answer(page, action="reject")
assert "data-consent-banner" not in page
assert "data-consent-confirmation" in page
assert FRAME not in page

settings = client.get("/consent/", headers=BROWSER).text
page = answer(settings, action="save", grant=["youtube"], layer="preferences")
assert FRAME in page
assert SCRIPT not in page

settings = client.get("/consent/", headers=BROWSER).text
assert "Withdraw all" in settings
receipt = re.search(r"data-consent-receipt>([0-9a-f]{32})<", settings)
assert receipt

page = answer(settings, action="withdraw", layer="preferences")
assert FRAME not in page

declaration = client.get("/privacy", headers=BROWSER).text
assert "VISITOR_INFO1_LIVE" in declaration

log = Path("instance/consent.db")
assert log.exists()

from click.testing import CliRunner  # noqa: E402

from consent.cli import cli  # noqa: E402

shown = CliRunner().invoke(cli, ["log", "show", receipt[1], "--url", f"sqlite:///{log.resolve()}"])
assert shown.exit_code == 0, shown.output
assert "withdrawn" in shown.output
