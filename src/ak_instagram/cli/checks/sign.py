"""`sign`: a webhook as Meta would post it, for a payload of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ak_instagram.cli.shared import config_option
from ak_instagram.settings import load_app_secrets
from ak_instagram.settings.value_types import read_texts
from ak_instagram.webhook import PATH
from ak_instagram.webhook.signature import sign as signature

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def first_secret_in(
    _context: click.Context, _option: click.Parameter, file: Path | None
) -> str | None:
    """Return the secret that *file* has; of several separated by commas, the first."""
    if file is None:
        return None
    try:
        secrets = read_texts(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file} is not UTF-8") from None
    if not secrets:
        raise click.BadParameter(f"{file} holds no secret")
    return secrets[0]


@click.command(epilog="Example: ak-instagram sign message.json --secret-file app-secret | sh")
@click.argument("payload", type=_FILE)
@click.option(
    "--url",
    default=f"http://127.0.0.1:8000{PATH}",
    show_default=True,
    help="Where to post.",
)
@click.option(
    "--secret-file",
    "secret",
    type=_FILE,
    callback=first_secret_in,
    help="The app secret; of several separated by commas, the first. "
    " [default: the settings' first]",
)
@config_option
def sign(payload: Path, url: str, secret: str | None, config: Path | None) -> None:
    """
    Print a signed curl command.

    It posts the file PAYLOAD as it is, with the X-Hub-Signature-256 that Meta would send.
    """
    configured = () if secret else load_app_secrets(config=config)
    if not (secret or configured):
        raise click.UsageError("there is no instagram.app_secret to sign with; use --secret-file")
    key = secret or configured[0]
    click.echo(curl(payload, url, signature(key, payload.read_bytes())))


def curl(payload: Path, url: str, signature: str) -> str:
    """Return the command that posts the bytes of *payload* as they are."""
    return shlex.join(
        [
            "curl",
            "--silent",
            "--show-error",
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
