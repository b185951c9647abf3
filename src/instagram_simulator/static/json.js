/* JSON for people: indented, coloured, never markup. */

import { el } from "./dom.js";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

/** Return a `pre` with `value`; text stays as it is. */
export function pretty(value) {
  const source = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const pre = el("pre", { tabIndex: 0 });
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    pre.append(source.slice(end, match.index), token(match));
    end = match.index + match[0].length;
  }
  pre.append(source.slice(end));
  return pre;
}

function token([whole, string, colon]) {
  if (!string) return el("span", { className: "json-number", textContent: whole });
  if (!colon) return el("span", { className: "json-string", textContent: string });
  return el("span", {}, el("span", { className: "json-key", textContent: string }), colon);
}
