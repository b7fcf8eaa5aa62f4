"""The application as a name, for servers that take no factory."""

from servers_app import asgi

app = asgi()
