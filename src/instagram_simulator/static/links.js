/* Text with its links, as nodes. */

import { el } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"'、。，！？；：「」『』【】《》]+/g;
const CLOSING = { ")": "(", "]": "[", "）": "（" };

/** Return `text` as text nodes and links that open in a new tab. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const href = addressOf(match[0]);
    if (/^https?:\/*$/.test(href)) continue;
    nodes.push(text.slice(end, match.index), link(href));
    end = match.index + href.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** Return what of `text` is the address: up to a bracket that it did not open, or a full stop. */
function addressOf(text) {
  const open = [];
  for (let at = 0; at < text.length; at += 1) {
    if (Object.values(CLOSING).includes(text[at])) open.push(text[at]);
    else if (text[at] in CLOSING && open.pop() !== CLOSING[text[at]]) return addressOf(text.slice(0, at));
  }
  return text.replace(/[.,;:!?]+$/, "");
}

export const link = (href, text = href) => el("a", { href: safe(href), textContent: text, target: "_blank", rel: "noreferrer noopener" });

/** Return `url` if it is one of the web, for others can do things. */
export function safe(url) {
  try {
    const { protocol, href } = new URL(url);
    return protocol === "https:" || protocol === "http:" ? href : "about:blank";
  } catch {
    return "about:blank";
  }
}
