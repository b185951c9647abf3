/* Building and finding elements. Text goes in as text, never as markup. */

export const byId = (id) => document.getElementById(id);

/** Return a new element; `props` are properties, or attributes if their name has a dash or is `role`. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const HUES = [338, 262, 205, 168, 22, 292, 226, 4, 190, 312];

/** Dress `element` as the avatar of `name`: initials on a colour that is always the same for it. */
export function dress(element, name) {
  const words = name.split(/\s+/).filter((word) => /\p{L}/u.test(word));
  const letters = words.length > 1 ? [...words[0]][0] + [...words.at(-1)][0] : [...name].slice(0, 2).join("");
  element.textContent = letters.toUpperCase();
  const sum = [...name].reduce((total, letter) => total + letter.codePointAt(0), 0);
  element.style.setProperty("--hue", HUES[sum % HUES.length]);
  return element;
}

export const avatar = (name, size = "") => dress(el("span", { className: `avatar ${size}`, "aria-hidden": "true" }), name);

let fading;
/** Say for a moment what did not work. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { place.hidden = true; }, 5000);
}
