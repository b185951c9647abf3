/* The menu of a message: by its button, by a long press, or by the right button. */

import { el } from "./dom.js";

let open = null;

/** Show `entries` beside `anchor`; each is `{label, act, isDanger}` or `{emojis, act}`. */
export function showMenu(anchor, entries) {
  closeMenu();
  const menu = el("div", { className: "menu", role: "menu", "aria-label": "Message options" }, ...entries.map(shown));
  menu.addEventListener("keydown", moveFocus);
  document.body.append(menu);
  place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  open = { menu, anchor };
  menu.querySelector("button").focus();
}

export function closeMenu() {
  if (!open) return;
  open.anchor.setAttribute("aria-expanded", "false");
  if (open.menu.contains(document.activeElement)) open.anchor.focus();
  open.menu.remove();
  open = null;
}

function shown(entry) {
  if (entry.emojis) {
    return el("div", { className: "emojis" }, ...entry.emojis.map((emoji) => item(emoji, () => entry.act(emoji), `React with ${emoji}`)));
  }
  return item(entry.label, entry.act, null, entry.isDanger ? "danger" : "");
}

function item(text, act, label, className = "") {
  const run = () => { closeMenu(); act(); };
  return el("button", { type: "button", role: "menuitem", className, textContent: text, "aria-label": label, on: { click: run } });
}

function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), innerWidth - width - 8);
  const top = at.top - height - 6 > 8 ? at.top - height - 6 : at.bottom + 6;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function moveFocus(event) {
  const items = [...event.currentTarget.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (event.key === "Escape") closeMenu();
  if (!step) return;
  event.preventDefault();
  items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.menu.contains(event.target) && event.target !== open.anchor) closeMenu();
});

/** Call `act` when `element` is pressed for long or with the right button. */
export function onLongPress(element, act) {
  let timer;
  const stop = () => clearTimeout(timer);
  element.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse") timer = setTimeout(() => act(event), 450);
  });
  for (const end of ["pointerup", "pointercancel", "pointermove"]) element.addEventListener(end, stop);
  element.addEventListener("contextmenu", (event) => { event.preventDefault(); act(event); });
}
