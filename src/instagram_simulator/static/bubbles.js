/* One message as an element. */

import { avatar, el } from "./dom.js";
import { link, linked, safe } from "./links.js";
import { gist } from "./world.js";

const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D|\p{Emoji_Modifier}|\p{Extended_Pictographic})*\s*){1,3}$/u;

/** Return the list item for `message`; `acts` are what its menu and buttons do. */
export function bubble(message, { account, quoted, acts }) {
  const isMine = message.author === "person";
  const body = el("div", { className: "body" }, ...parts(message, quoted, acts));
  const item = el("li", { className: `message${isMine ? " mine" : ""}` });
  item.dataset.mid = message.mid;
  if (!isMine) item.append(avatar(account.name, "small"));
  item.append(body);
  if (!message.is_deleted) item.append(more(message, acts));
  return item;
}

function parts(message, quoted, acts) {
  if (message.is_deleted) return [el("p", { className: "bubble gone note", textContent: "Message unsent" })];
  const shown = [
    quoted && el("p", { className: "quoted", textContent: `↩ ${gist(quoted)}` }),
    message.reply_to?.story && el("p", { className: "quoted", textContent: "↩ Story" }),
    ...message.attachments.map((attachment) => shownAttachment(attachment, acts)),
    message.text && el("div", { className: `bubble${ONLY_EMOJI.test(message.text) ? " emoji" : ""}`, dir: "auto" }, ...linked(message.text)),
    reactions(message),
    message.edits > 0 && el("p", { className: "note", textContent: "Edited" }),
    message.author === "human" && el("p", { className: "note", textContent: "Typed by a person in the Instagram app" }),
  ];
  return shown.filter(Boolean);
}

function reactions({ reactions: given }) {
  const emojis = [...new Set(Object.values(given))].join("");
  return emojis && el("span", { className: "reactions", role: "img", "aria-label": `Reaction ${emojis}`, textContent: emojis });
}

function shownAttachment({ type, payload = {} }, acts) {
  if (type === "like_heart") return el("div", { className: "bubble emoji", textContent: "❤️" });
  if (type === "image" && payload.url) return el("img", { className: "picture", src: safe(payload.url), alt: "Photo" });
  if (type === "audio" && payload.url) return el("audio", { className: "sound", controls: true, preload: "metadata", src: safe(payload.url) });
  if (type === "video" && payload.url) return el("video", { className: "picture", controls: true, src: safe(payload.url) });
  if (type === "template") return payload.elements ? carousel(payload.elements, acts) : textWithButtons(payload, acts);
  const name = (type === "file" && fileName(payload.url)) || `Attachment: ${type}`;
  return el("div", { className: "bubble attachment" }, payload.url ? link(payload.url, name) : name);
}

function fileName(url) {
  return decodeURIComponent(new URL(safe(url)).pathname.split("/").at(-1));
}

/** Return a text whose buttons are below it, in its bubble. */
function textWithButtons({ text, buttons = [] }, acts) {
  const shown = el("div", { className: "buttons" }, ...buttons.map((button) => shownButton(button, acts)));
  return el("div", { className: "bubble with-buttons", dir: "auto" }, el("p", {}, ...linked(text)), shown);
}

/** Return cards side by side, to be swiped, or moved with the arrow keys. */
function carousel(elements, acts) {
  const list = el("ul", { className: "carousel", role: "list", tabIndex: 0, "aria-label": elements.length > 1 ? `${elements.length} cards` : "Card" });
  list.append(...elements.map((element) => shownCard(element, acts)));
  return list;
}

function shownCard({ title, subtitle, image_url: image, default_action: action, buttons = [] }, acts) {
  const words = [
    image && el("img", { src: safe(image), alt: "" }),
    el("p", { className: "title", dir: "auto", textContent: title }),
    subtitle && el("p", { className: "subtitle", dir: "auto", textContent: subtitle }),
  ];
  const front = action ? link(action.url, "") : el("div");
  front.className = "front";
  front.append(...words.filter(Boolean));
  return el("li", { className: "card" }, front, el("div", { className: "buttons" }, ...buttons.map((button) => shownButton(button, acts))));
}

function shownButton(button, acts) {
  if (button.type === "web_url") return link(button.url, button.title);
  return el("button", { type: "button", textContent: button.title, on: { click: () => acts.tap(button) } });
}

function more(message, acts) {
  const label = `Options for: ${gist(message).slice(0, 40)}`;
  return el("button", {
    type: "button", className: "more", textContent: "⋯", "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false",
    on: { click: (event) => acts.menu(message, event.currentTarget) },
  });
}
