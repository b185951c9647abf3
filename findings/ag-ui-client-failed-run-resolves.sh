#!/usr/bin/env bash
# @ag-ui/client 1.0.0 (npm): runAgent() resolves for a run that failed or was cut, with half a
# message in its result.
#
# HttpAgent.runAgent() rejects for an HTTP error status and for events in a wrong order. It
# resolves when the run ends with RUN_ERROR, when the stream ends in the middle of a message,
# and when the body is no event stream at all (a page or an error object with status 200).
# The half message stays in agent.messages and is sent as history with the next run.
#
# The guess: a promise that resolves means RUN_FINISHED; the protocol says that each run ends
# with RUN_FINISHED or RUN_ERROR.
#
# For those who rely on it: `const { newMessages } = await agent.runAgent()` shows "We are open
# from nine to" as the answer and never retries. A bridge that relays AG-UI to a chat has to
# keep its own note of RUN_FINISHED (subscriber onRunFinishedEvent, onRunErrorEvent) and to
# drop messages that have no TEXT_MESSAGE_END.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @ag-ui/client@1.0.0
cat >check.mjs <<'JS'
import assert from "node:assert";
import { readFileSync } from "node:fs";
import http from "node:http";
import { HttpAgent } from "@ag-ui/client";

const BEGUN = [
  { type: "RUN_STARTED", threadId: "t", runId: "r" },
  { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "We are open from nine to" },
];
const sse = (events) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
const BODIES = {
  failed: ["text/event-stream", sse([...BEGUN, { type: "RUN_ERROR", message: "overloaded" }])],
  cut: ["text/event-stream", sse(BEGUN)],
  page: ["text/html", "<html>Starting up</html>"],
  object: ["application/json", '{"error": "overloaded"}'],
};

const server = http.createServer((request, response) => {
  const [type, body] = BODIES[request.url.slice(1)];
  response.writeHead(200, { "content-type": type });
  response.end(body);
});
server.listen(0, "127.0.0.1", async () => {
  const { version } = JSON.parse(readFileSync("node_modules/@ag-ui/client/package.json"));
  console.log("@ag-ui/client", version, "node", process.version);
  console.error = () => {};
  for (const name of Object.keys(BODIES)) {
    const url = `http://127.0.0.1:${server.address().port}/${name}`;
    const messages = [{ id: "1", role: "user", content: "When do you open?" }];
    const agent = new HttpAgent({ url, threadId: "t", initialMessages: messages });
    const finished = [];
    const { newMessages } = await agent.runAgent(
      { runId: "r" },
      { onRunFinishedEvent: () => finished.push("RUN_FINISHED") },
    );
    const texts = newMessages.map((message) => message.content);
    console.log(`${name.padEnd(6)} resolves with`, texts, "- finished events:", finished.length);
    assert.deepEqual(texts, ["failed", "cut"].includes(name) ? ["We are open from nine to"] : []);
    assert.equal(finished.length, 0);
  }
  server.close();
});
JS
timeout 60 node check.mjs
