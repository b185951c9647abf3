/* The conversation on the phone. */

import { attempt, react, unreact, unsend, write } from "./api.js";
import { bubble } from "./bubbles.js";
import { startEdit, startReply } from "./composer.js";
import { byId, dress, el } from "./dom.js";
import { onLongPress, showMenu } from "./menu.js";

const PAUSE_MS = 15 * 60 * 1000; // after so long a time is shown
const shown = new Map(); // mid → {message, item}
let current = null;
let wakeUp;

/** Bring the phone up to date with `conversation`. */
export function showThread(world, conversation) {
  const isOther = current !== conversation;
  if (isOther) begin(world, conversation);
  const isAtEnd = isOther || nearEnd();
  for (const message of conversation.messages.values()) show(world, conversation, message);
  group([...conversation.messages.values()]);
  showSeen(conversation);
  showTyping(world, conversation);
  showChips(world, conversation);
  showAccountMenu(world, conversation);
  showTakeover(world, conversation);
  if (isAtEnd) toEnd(isOther);
}

function begin(world, conversation) {
  current = conversation;
  shown.clear();
  byId("thread").replaceChildren();
  const { name, username } = world.account;
  for (const id of ["account-avatar", "intro-avatar", "typing-avatar"]) dress(byId(id), name);
  byId("account-name").textContent = byId("intro-name").textContent = name;
  byId("intro-handle").textContent = `@${username}`;
  byId("me").textContent = `as ${conversation.person.name}`;
}

function show(world, conversation, message) {
  const before = shown.get(message.mid);
  if (before?.message === message) return;
  const quoted = conversation.messages.get(message.reply_to?.mid);
  const item = bubble(message, { account: world.account, quoted, acts: actsFor(conversation) });
  onLongPress(item.querySelector(".body"), () => item.querySelector(".more")?.click());
  if (before) before.item.replaceWith(item);
  else {
    stamp(world, message);
    byId("thread").append(item);
  }
  shown.set(message.mid, { message, item });
}

/** Put the time above a message that comes after a pause. */
function stamp(world, message) {
  const previous = [...shown.values()].at(-1)?.message;
  if (previous && message.created - previous.created < PAUSE_MS) return;
  const time = new Date(message.created);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const isToday = time.toDateString() === new Date(world.now()).toDateString();
  const day = isToday ? "Today" : time.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
  byId("thread").append(el("li", { className: "stamp" }, el("time", { dateTime: time.toISOString(), textContent: `${day} ${clock}` })));
}

/** Mark the first and the last bubble of each run of one side. */
function group(messages) {
  messages.forEach((message, index) => {
    const { item } = shown.get(message.mid);
    const isRun = (other) => other && (other.author === "person") === (message.author === "person");
    item.classList.toggle("first", !isRun(messages[index - 1]));
    item.classList.toggle("last", !isRun(messages[index + 1]));
  });
}

function showSeen(conversation) {
  const last = [...conversation.messages.values()].at(-1);
  const isSeen = last?.author === "person" && !last.is_deleted && conversation.seenByAccount > last.position;
  byId("seen").textContent = isSeen ? "Seen" : "";
}

function showTyping(world, conversation) {
  const left = conversation.typingUntil - Date.now();
  byId("typing").hidden = left <= 0;
  byId("account-status").textContent = left > 0 ? "typing…" : `@${world.account.username}`;
  clearTimeout(wakeUp);
  if (left > 0) wakeUp = setTimeout(() => current === conversation && showThread(world, conversation), left + 50);
}

/** Show the quick replies of the last message, or the ice breakers where nobody has written. */
function showChips(world, conversation) {
  const { igsid } = conversation.person;
  const last = [...conversation.messages.values()].at(-1);
  const questions = last ? [] : offered(world.profile.ice_breakers);
  const replies = last?.author === "person" ? [] : (last?.quick_replies ?? questions.map(({ question, payload }) => ({ title: question, payload })));
  const tap = ({ title, payload }) => attempt(write(igsid, { [last ? "quick_reply" : "postback"]: { title, payload } }));
  byId("chips").replaceChildren(...replies.map((reply) => el("button", { type: "button", textContent: reply.title, on: { click: () => tap(reply) } })));
}

/** Return what everybody is offered of a setting of the account. */
function offered(locales) {
  return locales?.find(({ locale }) => !locale || locale === "default")?.call_to_actions ?? [];
}

/** Show the button of the account's menu, if it has one. */
function showAccountMenu(world, { person: { igsid } }) {
  const entries = offered(world.profile.persistent_menu).map(({ title, payload, url }) => ({
    label: title,
    act: () => (url ? open(url, "_blank", "noopener") : attempt(write(igsid, { postback: { title, payload } }))),
  }));
  const button = byId("account-menu");
  button.hidden = entries.length === 0;
  button.onclick = () => showMenu(button, entries);
}

/** Say that somebody has answered by hand, and the command that ends the service's silence. */
function showTakeover(world, { person, messages }) {
  const byHand = [...messages.values()].findLastIndex(({ author }) => author === "human");
  const hasAnswered = [...messages.values()].findLastIndex(({ author }) => author === "service") > byHand;
  const note = byId("takeover");
  note.hidden = byHand < 0 || hasAnswered;
  note.replaceChildren(
    "Somebody answered from the Instagram app, so the service may be silent here, ak-instagram for 12 hours. Its way back: ",
    el("code", { textContent: `ak-instagram resume ${person.igsid} --account ${world.account.account_id}` }),
  );
}

function actsFor({ person: { igsid } }) {
  return {
    tap: ({ title, payload }) => attempt(write(igsid, { postback: { title, payload } })),
    menu: (message, anchor) => showMenu(anchor, message.author === "person" ? ownEntries(message) : theirEntries(message)),
  };
}

const reply = (message) => ({ label: "Reply", act: () => startReply(message) });

function ownEntries(message) {
  const entries = [reply(message), { label: "Unsend", act: () => attempt(unsend(message.mid)), isDanger: true }];
  if (message.text) entries.splice(1, 0, { label: "Edit", act: () => startEdit(message) });
  return entries;
}

function theirEntries(message) {
  const entries = [{ emojis: ["❤️", "😂", "😮", "😢", "👍"], act: (emoji) => attempt(react(message.mid, emoji)) }, reply(message)];
  if (message.reactions.person) entries.push({ label: "Take reaction off", act: () => attempt(unreact(message.mid)) });
  return entries;
}

function nearEnd() {
  const frame = byId("thread-frame");
  return frame.scrollHeight - frame.scrollTop - frame.clientHeight < 140;
}

function toEnd(isAtOnce) {
  const frame = byId("thread-frame");
  frame.scrollTo({ top: frame.scrollHeight, behavior: isAtOnce ? "instant" : "smooth" });
}

// A picture is higher once it has come.
byId("thread").addEventListener("load", () => toEnd(false), true);
