/* Writing: text, replies, edits, pictures. */

import { attempt, edit, sendImage, write } from "./api.js";
import { byId } from "./dom.js";
import { gist } from "./world.js";

const text = byId("text");
let purpose = null; // {reply: message} or {edit: message}

/** Make the composer write for whoever `who` says. */
export function setUpComposer(who) {
  byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(who()); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(who()); }
    if (event.key === "Escape") forget();
  });
  text.addEventListener("input", refresh);
  byId("quote-close").addEventListener("click", forget);
  byId("pick-image").addEventListener("click", () => byId("image").click());
  byId("image").addEventListener("change", (event) => sendFiles(who(), event.target));
  text.addEventListener("paste", (event) => {
    for (const file of event.clipboardData.files) attempt(sendImage(who(), file));
  });
}

export function startReply(message) {
  begin({ reply: message }, message.author === "person" ? "Replying to yourself" : "Replying", gist(message));
}

export function startEdit(message) {
  begin({ edit: message }, "Edit message", gist(message));
  text.value = message.text;
  refresh();
}

function begin(what, title, quote) {
  purpose = what;
  byId("quote-title").textContent = title;
  byId("quote-text").textContent = quote;
  byId("quote").hidden = false;
  text.focus();
}

export function forget() {
  if (purpose?.edit) text.value = "";
  purpose = null;
  byId("quote").hidden = true;
  refresh();
}

async function submit(igsid) {
  const written = text.value.trim();
  if (!written || !igsid) return;
  const { reply, edit: edited } = purpose ?? {};
  const what = edited ? edit(edited.mid, written) : write(igsid, { text: written, ...(reply && { reply_to: reply.mid }) });
  text.value = "";
  purpose = null;
  byId("quote").hidden = true;
  refresh();
  if (!(await attempt(what)) && !text.value) { text.value = written; refresh(); }
}

function sendFiles(igsid, input) {
  for (const file of input.files) attempt(sendImage(igsid, file));
  input.value = "";
}

function refresh() {
  byId("send").disabled = !text.value.trim();
}
