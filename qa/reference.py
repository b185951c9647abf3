"""
The reference of the settings, written from their declarations in `ak_instagram.settings.model`.

`python -m qa.reference` writes the tables of docs/configuration.md, docs/commands.md, the codes in
docs/doctor.md, all of config.yaml below its header, the last part of .env.example, and in the
chart the comments and descriptions that say what a setting says. A test holds the files to it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import fill, wrap

import click

from ak_instagram.agents.adapters.http.template import PLACEHOLDERS
from ak_instagram.agents.registry import ADAPTERS
from ak_instagram.cli import main as command_line
from ak_instagram.doctor.finding import Asks
from ak_instagram.doctor.run import CHECKS
from ak_instagram.settings.keys import Key, plain, variable
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS, SECTION_KEYS, SECTIONS

ROOT = Path(__file__).parents[1]
COMMANDS = """# Commands

Each command as its `--help` prints it. How to call them where the service runs:
[operations](operations.md#commands)."""
IN_THE_SECRET = "#/definitions/inTheSecret"  # of the chart's schema
OTHERS = (
    "# Every other setting, with its default or an example. "
    "Compose sets store, port and signatures itself.\n\n"
)
# The keys of the chart's `secret.keys` whose comments begin with a setting's sentence.
CHART_SECRETS = {
    "verifyToken": "instagram.verify_token",
    "accessToken": "instagram.access_token",
    "appSecret": "instagram.app_secret",
    "agentApiKey": "agent.api_key",
    "agentHeaders": "agent.headers",
    "agentCallbackSecret": "agent.callback_secret",
    "agentTranscriptionKey": "agent.transcription_key",
    "adminToken": "admin.token",
    "adminReadToken": "admin.read_token",
    "encryptionKey": "store.encryption_key",
    "notifySecret": "notify.secret",
}


def section_sentence(section: str) -> str:
    """Return the sentences that introduce *section*."""
    return inspect.cleandoc(SECTIONS[section].__doc__ or "").partition("\n\n")[0]


def written_value(key: Key) -> str:
    """Return the default of *key* as text, empty if there is nothing to write."""
    return "" if key.default in (None, (), {}, "") else plain(key.default)


def row(key: Key, parent: str = "") -> str:
    """Return the row of *key*, which is named below *parent*, in a table of the documentation."""
    name = f"`{key.name}`<br>`{variable(parent + key.name)}`"
    default = "required" if key.required else f"`{written_value(key)}`"
    cells = (name, key.value_type.name, "" if default == "``" else default, key.sentence)
    return f"| {' | '.join(cells)} | `{key.example or plain(key.default)}` |"


def table(keys: Iterable[Key], parent: str = "") -> str:
    """Return *keys* as a table in Markdown."""
    head = "| key, variable | kind | default | meaning | example |\n|---|---|---|---|---|\n"
    return head + "".join(f"{row(key, parent)}\n" for key in keys)


def documentation(text: str) -> str:
    """Return docs/configuration.md, of which *text* is the present one, with new tables."""
    parts = {
        section: f"\n{section_sentence(section)}\n\n{table(keys)}\n"
        for section, keys in SECTION_KEYS.items()
    }
    parts["instagram.accounts"] = f"\n{table(ACCOUNT_KEYS, 'instagram.accounts[0].')}\n"
    for name, part in parts.items():
        text = between(f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n", text, part)
    return text


def between(begin: str, end: str, text: str, part: str) -> str:
    """Return *text* with *part* between its marks *begin* and *end*; `ValueError` without them."""
    before, after = text.index(begin) + len(begin), text.index(end)
    return text[:before] + part + text[after:]


def example_file(text: str) -> str:
    """Return config.yaml with the header of *text*: what has a default is set, no secret is."""
    sections = []
    for section, keys in SECTION_KEYS.items():
        lines = [f"# {section_sentence(section)}", f"{section}:"]
        for key in keys:
            lines += comment(key.sentence + (" Required." if key.required else ""), 98, "  ")
            lines.append(f"  {yaml_line(key)}".rstrip())
        sections.append("\n".join(lines))
    return "\n\n".join([text.partition("\n\n")[0], *sections]) + "\n"


def yaml_line(key: Key) -> str:
    """Return *key* with what is shipped, or commented out with an example if that is no secret."""
    if key.secret and not written_value(key):
        return f"# {key.last}:"
    if key.default is None:
        return f"# {key.last}: {key.example}"
    return f"{key.last}: {key.shipped or plain(key.default) or json.dumps(key.default)}"


def comment(text: str, width: int, indent: str = "") -> list[str]:
    """Return *text* as lines of comment, each at most *width* wide."""
    return wrap(text, width, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def example_variables(text: str) -> str:
    """Return .env.example: after what *text* says itself, each variable that it does not name."""
    guide = text.partition(OTHERS)[0]
    named = set(re.findall(r"^(?:# )?(AK_\w+)=", guide, re.MULTILINE))
    lines = []
    for key in KEYS:
        if (name := variable(key.name)) not in named:
            lines += comment(key.sentence, 118)
            lines.append(f"# {name}={written_value(key) or key.example}")
    return guide + OTHERS + "\n".join(lines) + "\n"


def commands(_: str) -> str:
    """Return docs/commands.md: the help of each command, as the command itself prints it."""
    pages = [f"{COMMANDS}\n"]
    for command, context in every_command(
        command_line, click.Context(command_line, info_name="ak-instagram")
    ):
        level = "##" if context.parent is None or context.parent.parent is None else "###"
        text = command.get_help(context)
        pages.append(f"{level} {context.command_path}\n\n```text\n{text}\n```\n")
    return "\n".join(pages)


def doctor_codes(text: str) -> str:
    """Return docs/doctor.md: after what *text* says itself, each check in the doctor's order."""
    pages, group = [text.partition("\n\n## ")[0]], None
    for each in CHECKS:
        if each.group is not group:
            group = each.group
            pages.append(f"## {group.capitalize()}")
        paragraphs = each.about.split("\n\n")
        about = "\n\n".join(fill(" ".join(part.split()), 118) for part in paragraphs)
        notes = [] if each.asks is Asks.NOBODY else [f"asks {each.asks}"]
        if not each.at_start:
            notes.append("not made at a start")
        title = f"**{each.title}.**" + (f" ({', '.join(notes)})" if notes else "")
        pages.append(f"### {each.code}\n\n{title}\n\n{about}")
    return "\n\n".join(pages) + "\n"


def every_command(
    command: click.Command, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield *command* and all below it, each with its context."""
    context.max_content_width = context.terminal_width = 100
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (each := command.get_command(context, name)) is not None:
                below = click.Context(each, parent=context, info_name=name)
                yield from every_command(each, below)


def chart_values(text: str) -> str:
    """Return the chart's values.yaml with the first sentence of each secret's setting."""
    sentences = {key.name: key.sentence for key in KEYS}
    for name, path in CHART_SECRETS.items():
        sentence = re.split(r"(?<=\.) ", sentences[path])[0]
        # The comment's first line; a second one, which is the chart's own, stays.
        first = re.search(rf"(?m)^    # .*\n(?=(?:    # .*\n)?    {name}:)", text)
        assert first, name
        text = f"{text[: first.start()]}    # {sentence}\n{text[first.end() :]}"
    return text


def chart_schema(text: str) -> str:
    """
    Return the chart's values.schema.json with the settings of `config` described.

    A key that is none is refused by an impossible value, whose words Helm shows: what there is.
    """
    start, end = text.index('\n    "config": {'), text.index('\n    "service": {')
    section, lines = "", []
    sentences = {key.name: key.sentence for key in KEYS}
    config = json.loads(text)["properties"]["config"]
    for line in text[start:end].split("\n"):
        if found := re.fullmatch(r' {8}"(\w+)": \{', line):
            section = found[1]
        if found := re.fullmatch(
            r'( {12}"(\w+)": \{)("description": "(?:\\.|[^"\\])*", )?(.+)', line
        ):
            sentence = json.dumps(sentences[f"{section}.{found[2]}"], ensure_ascii=False)
            line = f'{found[1]}"description": {sentence}, {found[4]}'
        if found := re.fullmatch(r'( +)"additionalProperties": .+', line):
            parent = config["properties"].get(section)
            if len(found[1]) > 10:
                parent = parent["properties"]["accounts"]["items"]
            known = (parent or config)["properties"]
            here = [name for name, it in known.items() if it.get("$ref") != IN_THE_SECRET]
            words = json.dumps(f"under a known key: {', '.join(here)}")
            line = f'{found[1]}"additionalProperties": {{"const": {words}}},'
        lines.append(line)
    return text[:start] + "\n".join(lines) + text[end:]


def chart_checks(text: str) -> str:
    """Return the chart's validate.yaml with the adapters and the placeholders that there are."""
    for name, values in (("adapters", ADAPTERS), ("placeholders", sorted(PLACEHOLDERS))):
        line = " ".join(["list", *map(json.dumps, values)])
        text = re.sub(rf"(?<=\${name} := ).*(?= \}}\}})", line, text)
    return text


FILES: Mapping[str, Callable[[str], str]] = {
    "docs/configuration.md": documentation,
    "docs/commands.md": commands,
    "docs/doctor.md": doctor_codes,
    "config.yaml": example_file,
    ".env.example": example_variables,
    "helm/ak-instagram/values.yaml": chart_values,
    "helm/ak-instagram/templates/validate.yaml": chart_checks,
    "helm/ak-instagram/values.schema.json": chart_schema,
}
"""The files that repeat what a setting says, each with what makes it anew from its text."""


def main() -> None:
    """Write every file anew."""
    for name, renewed in FILES.items():
        file = ROOT / name
        file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
