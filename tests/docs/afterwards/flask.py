"""What the guide says about the application it has made."""

from consent.testing import grant

client = app.test_client()  # noqa: F821 — the page's own
assert client.get("/numbers").text == "You are not counted."
grant(client, "analytics")
assert client.get("/numbers").text == "You are counted."
