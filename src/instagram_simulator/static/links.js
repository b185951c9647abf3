/* Text with its links, as nodes. */

import { el } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** Return `text` as text nodes and links that open in a new tab. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(text.slice(end, match.index), link(match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
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
