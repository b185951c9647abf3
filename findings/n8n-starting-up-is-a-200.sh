#!/usr/bin/env bash
# n8n 2.41.1: while its database migrates, n8n answers every request, a POST to a production
# webhook too, with HTTP 200 and the text "n8n is starting up. Please wait".
#
# A new version migrates at its first start, a large database for minutes. Then comes a time of
# 404: first pages of HTML, then JSON ("is not registered"), although the workflow is published.
#
# The guess: a server that is not ready refuses connections or answers 503, which every caller
# and every proxy takes for "later"; /healthz/readiness is 503 meanwhile, as one expects.
#
# For those who rely on it: a webhook that was posted is lost, and its sender believes that it
# arrived; one that reads the answer takes the sentence for what the workflow said.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund node@24
export PATH="$work/node_modules/.bin:$PATH"
npm install --silent --no-audit --no-fund --ignore-scripts n8n@2.41.1
npm rebuild --silent isolated-vm sqlite3
cat >watch.mjs <<'JS'
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const quiet = ["DIAGNOSTICS", "VERSION_NOTIFICATIONS", "TEMPLATES"].map((it) => [`N8N_${it}_ENABLED`, "false"]);
const n8n = spawn("timeout", ["90", "n8n", "start"], {
  env: {
    ...process.env,
    ...Object.fromEntries(quiet),
    N8N_USER_FOLDER: process.cwd(),
    N8N_PORT: String(port),
    N8N_LISTEN_ADDRESS: "127.0.0.1",
  },
  stdio: "ignore",
});
const root = `http://127.0.0.1:${port}`;
const seen = [];
const ended = Date.now() + 80_000;
while (Date.now() < ended) {
  try {
    const answer = await fetch(`${root}/webhook/orders`, { method: "POST", body: "{}" });
    const line = `${answer.status} ${answer.headers.get("content-type")} ${(await answer.text()).slice(0, 40)}`;
    if (line !== seen.at(-1)) seen.push(line);
    if (line.startsWith("404 application/json")) break;
  } catch {}
  await new Promise((resolve) => setTimeout(resolve, 10));
}
n8n.kill();
console.log("a POST to a webhook, from the first start of n8n 2.41.1 on:");
for (const line of seen) console.log(" ", JSON.stringify(line));
if (!seen.some((it) => it.startsWith("200 ") && it.includes("n8n is starting up"))) {
  console.log("never seen: 200 with the text");
  process.exit(1);
}
JS
timeout 120 node watch.mjs
