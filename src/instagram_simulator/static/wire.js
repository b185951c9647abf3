/* Webhooks and Graph calls as they happen, newest first. */

import { byId, el } from "./dom.js";
import { pretty } from "./json.js";

const KEPT = 300;
let count = 0;

export function setUpWire() {
  for (const input of document.getElementsByName("show")) {
    input.addEventListener("change", () => { byId("calls").dataset.show = input.value; });
  }
  byId("wire-clear").addEventListener("click", clear);
}

export function clear() {
  count = 0;
  byId("calls").replaceChildren();
  refresh();
}

/** Show one call; its details are made when someone opens it. */
export function showCall(call) {
  const list = byId("calls");
  list.prepend(el("li", { className: `call ${call.kind}` }, details(call)));
  if (list.children.length > KEPT) list.lastElementChild.remove();
  count += 1;
  refresh();
}

function refresh() {
  byId("wire-count").textContent = count || "";
  byId("wire-empty").hidden = count > 0;
}

function details(call) {
  const isWebhook = call.kind === "webhook";
  const element = el("details", {}, summary(call, isWebhook));
  element.addEventListener("toggle", () => element.append(detail(call, isWebhook)), { once: true });
  return element;
}

function summary(call, isWebhook) {
  const isGood = call.status >= 200 && call.status < 300;
  const path = isWebhook ? new URL(call.url).pathname : call.path;
  const direction = isWebhook ? "Meta to the service" : "service to Meta";
  return el(
    "summary",
    {},
    el("span", { className: "arrow", role: "img", "aria-label": direction, title: direction, textContent: isWebhook ? "↓" : "↑" }),
    el("span", { className: "what" }, el("strong", { textContent: isWebhook ? webhookGist(call) : graphGist(call) }), el("code", { textContent: `${call.method ?? "POST"} ${path}` })),
    el("span", { className: `status${isGood ? "" : " bad"}`, textContent: call.status ?? call.why ?? "no answer", title: call.status === null ? "no answer" : "" }),
    el("span", { className: "ms", textContent: `${call.ms} ms` }),
  );
}

function webhookGist({ events, attempt, request }) {
  const event = request.entry[0].messaging[0];
  const text = event.message?.text ?? event.message_edit?.text ?? event.postback?.title;
  const kinds = attached(event.message);
  const more = events.length > 1 ? ` and ${events.length - 1} more` : "";
  const again = attempt > 1 ? ` · try ${attempt}` : "";
  return `${events[0][0]}${text ? ` “${text}”` : ""}${kinds}${more}${again}`;
}

/** Return the kinds of what is attached to `message`. */
function attached(message) {
  const attachments = message?.attachments ?? (message?.attachment ? [message.attachment] : []);
  return attachments.map(({ type }) => ` [${type}]`).join("");
}

function graphGist({ request, method, path, response }) {
  const failed = response?.error ? ` · ${response.error.message}` : "";
  if (request?.sender_action) return request.sender_action + failed;
  if (request?.message) return `message${request.message.text ? ` “${request.message.text}”` : ""}${attached(request.message)}${failed}`;
  return `${method === "GET" ? "read" : method} ${path.split("/").at(-1)}${failed}`;
}

function detail(call, isWebhook) {
  const box = el("div", { className: "detail" });
  if (isWebhook) box.append(el("h3", { textContent: "X-Hub-Signature-256" }), pretty(call.signature));
  if (call.query && Object.keys(call.query).length) box.append(el("h3", { textContent: "Query" }), pretty(call.query));
  if (call.request) box.append(el("h3", { textContent: "Body" }), pretty(call.request));
  if (call.response) box.append(el("h3", { textContent: "Answer" }), pretty(call.response));
  return box;
}
