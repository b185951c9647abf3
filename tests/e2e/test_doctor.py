"""Whatever keeps a newcomer's messages from being answered is named, by doctor and by the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from ak_instagram.app import open_service
from ak_instagram.cli import main
from ak_instagram.errors import SettingsError
from instagram_simulator import Fault, FaultKind, ProfessionalAccount, Simulator
from qa.support.processes import free_port, variable
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.settings import load
from tests.support.stage import ACCOUNT, VERIFY_TOKEN, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

UP = "http://127.0.0.1:{port}/instagram/webhook"


@dataclass
class Newcomer:
    """A Meta and the settings of a service that nobody has started yet."""

    meta: Simulator
    settings: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {"AK_CONFIG": "", **{variable(key): it for key, it in self.settings.items()}}

    async def doctor(self, *arguments: str) -> tuple[int, dict]:
        """Return exit code and answer of `doctor --json`."""
        arguments = ("doctor", "--json", *arguments)
        # In a thread: the command has an event loop of its own.
        result = await asyncio.to_thread(
            CliRunner().invoke, main, arguments, env=self.environment, catch_exceptions=False
        )
        return result.exit_code, json.loads(result.stdout)

    async def log(self) -> list[Mapping[str, str]]:
        """Return what a service logs of what the doctor finds at its start."""
        with capture_logs() as logs:
            async with open_service(load(self.environment), first_check_after=0):
                async with asyncio.timeout(10):
                    while not any(line["event"] == "doctor.checked" for line in logs):  # noqa: ASYNC110 - the log tells nobody
                        await asyncio.sleep(0.02)
        return [line for line in logs if line["event"] == "doctor.found"]


@asynccontextmanager
async def newcomer(folder) -> AsyncIterator[Newcomer]:
    """Yield one with whom all is well, but that an agent answers nothing yet and nobody wrote."""
    async with Simulator(
        ProfessionalAccount(access_token="IGAAnewcomer0token1of2the3account")
    ) as meta:
        meta.deliveries.url = f"{meta.url}/1"  # answers, though not as a webhook does
        yield Newcomer(
            meta,
            {
                "instagram.verify_token": VERIFY_TOKEN,
                "instagram.access_token": meta.account.access_token,
                "instagram.app_secret": meta.account.app_secret,
                "instagram.require_signature": "true",
                "instagram.api_version": "v26.0",
                "instagram.graph_url": meta.url,
                "instagram.sweep": "0",
                "agent.adapter": "http",
                "agent.url": meta.url,
                "store.url": f"sqlite:///{folder}/store.db",
            },
        )


def dead_token(it: Newcomer) -> None:
    it.meta.fail(Fault(FaultKind.TOKEN_EXPIRED, on="read"))


def missing_subscription(it: Newcomer) -> None:
    it.meta.set_fields(account=[])


def unreachable_callback(it: Newcomer) -> None:
    it.meta.deliveries.url = UP.format(port=free_port())


def agent_down(it: Newcomer) -> None:
    it.settings["agent.url"] = f"http://127.0.0.1:{free_port()}"


def field_not_ticked(it: Newcomer) -> None:
    it.meta.set_fields(app=["comments"])


def ended_version(it: Newcomer) -> None:
    it.settings["instagram.api_version"] = "v20.0"


@pytest.mark.parametrize(
    ("make", "code", "group", "text", "fix"),
    [
        pytest.param(
            dead_token, "AKI-301", "token", "the token has expired", "60 days", id="dead-token"
        ),
        pytest.param(
            missing_subscription,
            "AKI-401",
            "subscription",
            "not subscribed to `messages`",
            "`ak-instagram subscribe`",
            id="missing-subscription",
        ),
        pytest.param(
            unreachable_callback,
            "AKI-411",
            "callback",
            "can't be reached: nothing listens there",
            "firewall",
            id="unreachable-callback",
        ),
        pytest.param(
            agent_down,
            "AKI-201",
            "agent",
            "is down: nothing listens there",
            "host.docker.internal",
            id="agent-down",
        ),
        pytest.param(
            field_not_ticked,
            "AKI-402",
            "subscription",
            "has not ticked `messages`",
            "Configure webhooks",
            id="field-not-ticked",
        ),
        pytest.param(
            ended_version,
            "AKI-501",
            "version",
            "has ended on 2026-09-24",
            "API_VERSION=v26.0",
            id="ended-version",
        ),
    ],
)
async def test_a_newcomers_trouble_is_named_with_its_fix_by_doctor_and_by_the_log(
    tmp_path,
    make: Callable[[Newcomer], None],
    code: str,
    group: str,
    text: str,
    fix: str,
):
    async with newcomer(tmp_path) as it:
        make(it)
        exit_code, answer = await it.doctor()
        logged = await it.log()

    assert (exit_code, answer["ok"]) == (1, False)
    [found] = [each for each in answer["findings"] if each["code"] == code]
    assert (found["group"], found["result"]) == (group, "error")
    assert text in found["text"]
    assert fix in found["fix"]
    assert it.settings["instagram.access_token"] not in json.dumps(answer)
    [line] = [each for each in logged if each["code"] == code]
    assert (line["log_level"], line["reason"], line["fix"]) == (
        "warning",
        found["text"],
        found["fix"],
    )


async def test_a_token_of_the_wrong_login_is_named_by_the_doctor_and_stops_the_start(tmp_path):
    settings = {
        "instagram.verify_token": VERIFY_TOKEN,
        "instagram.access_token": "EAAnewcomer0token1of2the3account",
        "instagram.login": "instagram",
        "agent.adapter": "echo",
    }
    service = Service(tmp_path, settings, start=forked)
    code, printed = await service.command("doctor", "--json")
    refused, log = await service.command("serve")

    [found] = json.loads(printed)["findings"]
    assert (code, found["code"], found["result"]) == (2, "AKI-101", "error")
    assert "EAA…" in found["text"]
    assert "use another token" in found["fix"]
    assert refused == 2
    assert found["text"] in log
    assert settings["instagram.access_token"] not in printed + log


async def test_the_wrong_host_is_named_by_the_doctor_and_stops_the_start(tmp_path):
    async with newcomer(tmp_path) as it:
        it.settings["instagram.graph_url"] = "https://graph.facebook.com"
        exit_code, answer = await it.doctor()
        with pytest.raises(SettingsError) as stopped:
            load(it.environment)

    assert (exit_code, answer["ok"]) == (2, False)
    [found] = [each for each in answer["findings"] if each["code"] == "AKI-101"]
    assert (found["group"], found["result"]) == ("settings", "error")
    assert "where the token of instagram.access_token (IGAA…) is not valid" in found["text"]
    assert found["fix"] == "take it out, or set https://graph.instagram.com"
    assert stopped.value.problems == [f"{found['text']}; {found['fix']}"]


async def test_a_wrong_secret_is_named_by_the_doctor_beside_the_service_and_by_the_log(tmp_path):
    async with open_stage(tmp_path, instagram__app_secret="the-meta-app-secret") as stage:
        stage.meta.phones.say(stage.person(), "Hello?")
        rejected = await stage.service.until_logged(lambda it: it["event"] == "webhook.rejected")
        code, printed = await stage.service.command("doctor", "--json", "--only", "AKI-413")
        [found] = json.loads(printed)["findings"]

    assert "Instagram app secret" in rejected["reason"]
    assert (code, found["result"]) == (1, "error")
    assert "no configured secret signed any of the" in found["text"]
    assert "Instagram app secret > Show" in found["fix"]


async def test_all_is_well_beside_a_running_service_and_nothing_is_changed(tmp_path):
    """Its SQLite file is locked by the service, and read all the same."""
    settings = {
        "instagram__api_version": "v26.0",
        "conversation__disclosure": "Our assistant answers here; it is a machine.",
    }
    async with open_stage(tmp_path, **settings) as stage:
        mia = stage.person()
        stage.meta.phones.say(mia, "Hello?")
        await stage.until_answered(mia, 2)
        await stage.meta.settled()
        before = stage.query("SELECT count(*), max(id) FROM events")
        code, printed = await stage.service.command(
            *("doctor", "--json", "--callback", stage.service.webhook, "--ask-agent")
        )
        again, told = await stage.service.command("doctor", "--fail-on", "warning")
        after = stage.query("SELECT count(*), max(id) FROM events")
        await stage.service.command("pause", "--all")
        _, stopped = await stage.service.command("doctor", "--only", "AKI-127")

    answer = json.loads(printed)
    results = {each["code"]: each["result"] for each in answer["findings"]}
    assert (code, answer["ok"]) == (0, True)
    assert {code for code, result in results.items() if result != "ok"} == {"AKI-103"}
    assert {"AKI-121", "AKI-123", "AKI-202", "AKI-402", "AKI-403"} <= results.keys()
    assert {"AKI-411", "AKI-412", "AKI-413"} <= results.keys()
    assert ACCOUNT.access_token not in printed
    assert (again, "fix: unset AK_INSTAGRAM__GRAPH_URL" in told) == (1, True)
    assert "sending is stopped for all accounts" in stopped
    assert before == after
