"""`sign`: a webhook as Meta would post it, for a payload of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ak_instagram.settings import load
from ak_instagram.webhook.signature import sign as signature

from . import options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog="Example: ak-instagram sign message.json --secret-file app-secret | sh")
@click.argument("payload", type=_FILE)
@click.option(
    "--url",
    default="http://127.0.0.1:8000/instagram/webhook",
    show_default=True,
    help="Where to post.",
)
@click.option("--secret-file", type=_FILE, help="The app secret.  [default: the settings' first]")
@options.config
def sign(payload: Path, url: str, secret_file: Path | None, config: Path | None) -> None:
    """
    Print a signed curl command.

    It posts the file PAYLOAD as it is, with the X-Hub-Signature-256 that Meta would send.
    """
    secret = _read_secret(secret_file) if secret_file else _configured_secret(config)
    click.echo(curl(payload, url, signature(secret, payload.read_bytes())))


def curl(payload: Path, url: str, signature: str) -> str:
    """Return the command that posts the bytes of *payload* as they are."""
    return shlex.join(
        [
            "curl",
            "--include",
            "--header",
            "Content-Type: application/json",
            "--header",
            f"X-Hub-Signature-256: {signature}",
            "--data-binary",
            f"@{payload}",
            url,
        ]
    )


def _read_secret(file: Path) -> str:
    return file.read_text(encoding="utf-8").rstrip("\r\n")


def _configured_secret(config: Path | None) -> str:
    """Return the first app secret of the settings."""
    secrets = load(config=config).instagram.app_secrets
    if not secrets:
        raise click.UsageError("there is no instagram.app_secret to sign with; use --secret-file")
    return secrets[0]
