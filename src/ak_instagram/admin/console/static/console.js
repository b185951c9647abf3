// The keyboard, and whether the page is live. Everything else works without this file.
const rows = () => [...document.querySelectorAll("a.row")];
const keys = document.getElementById("keys");
const paths = { o: "/admin/", c: "/admin/conversations", d: "/admin/dead-letters" };
let isGoing = false;

const move = (step) => {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea");
  if (isTyping && event.key === "Escape") event.target.blur();
  if (isTyping || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const wasGoing = isGoing;
  isGoing = false;
  if (wasGoing && paths[event.key]) location.assign(paths[event.key]);
  else if (event.key === "g") isGoing = true;
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?") keys.showModal();
  else if (event.key === "/" && document.getElementById("search")) {
    event.preventDefault();
    document.getElementById("search").select();
    document.getElementById("search").focus();
  }
});

const button = document.getElementById("keys-button");
button.hidden = false;
button.addEventListener("click", () => keys.showModal());

const state = document.getElementById("live-state");
const tell = (words) => { if (state.textContent !== words) state.textContent = words; };
document.addEventListener("htmx:sse:after:connection", () => tell("Live"));
for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
  document.addEventListener(name, () => tell("Not live: reload for news"));
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden && state.textContent) tell("Paused");
});
const bubbles = document.querySelector(".bubbles");
if (bubbles) bubbles.scrollTop = bubbles.scrollHeight;
