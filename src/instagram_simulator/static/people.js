/* The list of people one can be. */

import { avatar, byId, el } from "./dom.js";
import { gist } from "./world.js";

/** Show everyone in `world`; `onPick` gets the igsid of the one who is picked. */
export function showPeople(world, selected, onPick) {
  const list = byId("people");
  const focused = document.activeElement?.dataset?.igsid;
  list.replaceChildren(...[...world.people.values()].map((each) => el("li", {}, entry(each, selected, onPick))));
  if (focused) list.querySelector(`[data-igsid="${CSS.escape(focused)}"]`)?.focus();
}

function entry({ person, messages, isNew }, selected, onPick) {
  const [first, ...rest] = person.name.split(" ");
  const isSelected = person.igsid === selected;
  const button = el(
    "button",
    {
      type: "button",
      className: `person${isNew && !isSelected ? " unread" : ""}`,
      "aria-current": String(isSelected),
      on: { click: () => onPick(person.igsid) },
    },
    avatar(person.name),
    el(
      "span",
      { className: "who" },
      el("span", { className: "name" }, first, el("span", { className: "rest", textContent: rest.map((word) => ` ${word}`).join("") })),
      el("span", { className: "last", textContent: gist([...messages.values()].at(-1)) || `@${person.username}` }),
    ),
    el("i", { className: "dot" }),
    isNew && !isSelected ? el("span", { className: "visually-hidden", textContent: "new message" }) : null,
  );
  button.dataset.igsid = person.igsid;
  return button;
}
