"""The admin API keeps to its description, whatever it is asked: schemathesis asks the process."""

from __future__ import annotations

import asyncio
import sys

import pytest

from qa.support.service import WITHIN

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

SETTINGS = {"admin__token": "the-admin-token"}
EXAMPLES = "8"  # of each operation
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method"
)


async def test_no_request_breaks_the_api_or_its_description(stage, tmp_path):
    person = stage.person()
    stage.meta.phones.say(person, "Hello")
    await stage.until_answered(person)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"{stage.service.url}/admin/api/openapi.json",
        *("--header", "Authorization: Bearer the-admin-token"),
        *("--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1"),
        *("--phases", "examples,coverage,fuzzing", "--generation-database", "none"),
        *("--request-timeout", str(WITHIN)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()[-6000:]
