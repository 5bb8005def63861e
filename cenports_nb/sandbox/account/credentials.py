"""The one demo account of every sandbox; the credentials are public on purpose."""

from typing import Final

PARTNER_ID: Final = "SANDBOX"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"  # noqa: S105 - a demo credential, printed in the documentation
