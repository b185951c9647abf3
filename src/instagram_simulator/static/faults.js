/* The levers: what goes wrong, how Meta behaves, what time it is. */

import { addFault, advance, attempt, flip, heal, release, removeFault, setFields, write } from "./api.js";
import { byId, el } from "./dom.js";

const KINDS = {
  "Webhooks on their way": [
    ["duplicate", "Delivered twice", "The same event arrives two times at once."],
    ["reordered", "Overtaken", "Arrives after the next one."],
    ["delayed", "Late", "Arrives two seconds later."],
    ["held", "Held back", "Kept until you let it go."],
    ["lost", "Lost", "It never comes."],
  ],
  "The Graph API refuses": [
    ["server_error", "HTTP 500", "A page of HTML; nothing was sent."],
    ["temporary", "Temporary error", "Code 2, to be tried again."],
    ["rate_limited", "Rate limit", "Code 613."],
    ["app_limited", "App limit", "Code 4, with usage headers."],
    ["token_expired", "Token expired", "Code 190/463. Always: on every call; counted: on sends.", (times) => ({ on: times ? "send" : "any" })],
    ["window_closed", "Window closed", "Code 10/2534022."],
    ["person_unavailable", "Person unavailable", "Code 551."],
    ["restricted", "Account restricted", "Code 368."],
    ["unsupported", "App refused", "Code 100, as to an app that Meta has restricted."],
  ],
  "The answer lies, or never comes": [
    ["sent_but_error", "Sent, but an error", "Code 1/1357046 although it was sent."],
    ["sent_but_500", "Sent, but HTTP 500", "The person got it; the service can't know."],
    ["sent_but_dropped", "Sent, but line dropped", "The connection breaks after sending."],
    ["dropped", "Line dropped", "The connection breaks before sending."],
    ["slow", "Slow", "Every send takes three seconds.", { seconds: 3 }],
    ["hang", "Hangs", "No answer, ever."],
    ["sent_but_hang", "Sent, but hangs", "Sent, and no answer, ever."],
  ],
};

const SWITCHES = [
  ["echo_first", "Echo comes first", "The echo of a message arrives before its call has answered."],
  ["edit_companion", "Empty edits", "Each message comes with a message_edit of num_edit 0."],
  ["echoes", "Echoes", "The account's own messages are echoed."],
];

const LABELS = Object.fromEntries(Object.values(KINDS).flat().map(([kind, label]) => [kind, label]));
const TIMES = [[1, "1×"], [3, "3×"], [null, "∞"]];

/** Build the pane; `who` says for whom an answer by hand is. */
export function setUpFaults(who) {
  byId("faults").append(
    el("ul", { className: "active", id: "active", "aria-label": "Active faults" }),
    ...Object.entries(KINDS).map(([title, kinds]) => group(title, el("ul", { className: "levers" }, ...kinds.map(fault)))),
    group("The account's webhooks", el("div", { className: "row" }, button("unsubscribe", () => setFields([])), button("subscribe", () => setFields(["messages", "messaging_postbacks"])))),
    group("How Meta behaves", el("ul", { className: "levers" }, ...SWITCHES.map(toggle))),
    group(
      "Time passes",
      el("p", { id: "clock", role: "status" }),
      el("div", { className: "row" }, button("1 hour", () => advance(3600)), button("24 hours", () => advance(86_460))),
      el("p", { textContent: "For Meta, which lets nobody answer 24 hours after a person's last message. The service has a clock of its own: what it waits for, a takeover too, does not end sooner." }),
    ),
    group("Someone answers from the Instagram app", byHand(who)),
  );
}

/** Show what time it is in the simulated world, and how far ahead that is. */
function showClock(world) {
  const minutes = Math.round(world.ahead / 60_000);
  const time = new Date(world.now()).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const lead = [[Math.floor(minutes / 60), "h"], [minutes % 60, "min"]].filter(([count]) => count).map((each) => each.join(" ")).join(" ");
  byId("clock").textContent = minutes ? `It is ${time}, ${lead} ahead.` : `It is ${time}.`;
}

/** Show which faults and switches are on, and the time. */
export function showFaults(world) {
  showClock(world);
  byId("fault-count").textContent = world.faults.length || "";
  const items = world.faults.map(({ number, kind, left }) => el(
    "li", {}, `${LABELS[kind] ?? kind} ${left === null ? "∞" : `${left}×`}`,
    el("button", { type: "button", textContent: "×", "aria-label": `Remove ${LABELS[kind] ?? kind}`, on: { click: () => attempt(removeFault(number)) } }),
  ));
  if (items.length) items.push(el("li", {}, el("button", { type: "button", className: "all", textContent: "Remove all", on: { click: () => attempt(heal()) } })));
  byId("active").replaceChildren(...items);
  for (const [name] of SWITCHES) byId(`switch-${name}`).checked = world.switches[name];
}

function fault([kind, label, hint, rest]) {
  const doses = TIMES.map(([times, text]) => el("button", {
    type: "button", textContent: text, "aria-label": `${label}, ${times ?? "always"}${times ? " times" : ""}`,
    on: { click: () => attempt(addFault({ kind, times, ...(typeof rest === "function" ? rest(times) : rest) })) },
  }));
  const extra = kind === "held" ? el("button", { type: "button", textContent: "let go", on: { click: () => attempt(release()) } }) : null;
  return el("li", { className: "lever" }, words(label, hint), el("div", { className: "doses" }, ...doses, extra));
}

function toggle([name, label, hint]) {
  const box = el("input", { type: "checkbox", id: `switch-${name}`, role: "switch", on: { change: (event) => attempt(flip({ [name]: event.target.checked })) } });
  return el("li", { className: "lever" }, el("label", { htmlFor: box.id }, words(label, hint)), box);
}

function byHand(who) {
  const input = el("input", { name: "text", placeholder: "Hi, this is Ana from the shop", "aria-label": "Answer by hand", required: true, autocomplete: "off" });
  const form = el("form", { className: "by-hand" }, input, el("button", { type: "submit", textContent: "Send" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(write(who(), { by_hand: { text: input.value } }))) input.value = "";
  });
  return form;
}

const group = (title, ...content) => el("section", { className: "group" }, el("h3", { textContent: title }), ...content);
const words = (label, hint) => el("div", {}, el("strong", { textContent: label }), el("span", { textContent: hint }));
const button = (text, act) => el("button", { type: "button", textContent: text, on: { click: () => attempt(act()) } });
