#!/usr/bin/env bash
# @ag-ui/client 1.0.0 (npm): an event stream with CRLF line ends cannot be read.
#
# HttpAgent splits the body at "\n\n". Server-sent events may end lines with LF, CR or CRLF (HTML
# standard, "Parsing an event stream"); with CRLF the two line feeds are never adjacent, the
# whole body is taken for one event at its end, and JSON.parse fails at the second.
#
# The guess: the protocol's own client reads each valid event stream. sse-starlette, the usual
# helper for FastAPI and Starlette, writes CRLF by default.
#
# For those who rely on it: an AG-UI server that other readers (aiohttp, httpx-sse, EventSource)
# understand fails with the official client, and only at the end of the stream: nothing is
# shown while the agent writes, then "Unexpected non-whitespace character after JSON". The
# server's log says 200. Servers should write LF (sep="\n" in sse-starlette).
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

const RUN = [
  { type: "RUN_STARTED", threadId: "t", runId: "r" },
  { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "We open at nine." },
  { type: "TEXT_MESSAGE_END", messageId: "m" },
  { type: "RUN_FINISHED", threadId: "t", runId: "r" },
];
const ENDS = { lf: "\n", crlf: "\r\n" };

const server = http.createServer((request, response) => {
  const end = ENDS[request.url.slice(1)];
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(RUN.map((event) => `data: ${JSON.stringify(event)}${end}${end}`).join(""));
});
server.listen(0, "127.0.0.1", async () => {
  const { version } = JSON.parse(readFileSync("node_modules/@ag-ui/client/package.json"));
  console.log("@ag-ui/client", version, "node", process.version);
  console.error = () => {}; // the client prints the failure as well
  const outcomes = {};
  for (const end of Object.keys(ENDS)) {
    const url = `http://127.0.0.1:${server.address().port}/${end}`;
    const messages = [{ id: "1", role: "user", content: "When do you open?" }];
    const agent = new HttpAgent({ url, threadId: "t", initialMessages: messages });
    try {
      const { newMessages } = await agent.runAgent({ runId: "r" });
      outcomes[end] = newMessages.map((message) => message.content).join();
    } catch (error) {
      outcomes[end] = `${error.name}: ${error.message}`;
    }
    console.log(`${end.padEnd(4)} -> ${outcomes[end]}`);
  }
  assert.equal(outcomes.lf, "We open at nine.");
  assert.match(outcomes.crlf, /^SyntaxError/, "CRLF is read");
  server.close();
});
JS
timeout 60 node check.mjs
