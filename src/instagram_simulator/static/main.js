/* Ties the page together: state in, entries on top, whatever changed is shown. */

import * as api from "./api.js";
import { forget, setUpComposer } from "./composer.js";
import { byId } from "./dom.js";
import { setUpFaults, showFaults } from "./faults.js";
import { showPeople } from "./people.js";
import { follow } from "./stream.js";
import { showThread } from "./thread.js";
import { clear, setUpWire, showCall } from "./wire.js";
import { World } from "./world.js";

const LOOK_MS = 400; // nobody sees a message before it has arrived
let world;
let selected = null;
let looking;

async function start() {
  const state = await api.state();
  world = new World(state);
  clear();
  (await api.calls()).forEach(showCall);
  await Promise.all([...world.people.keys()].map(async (igsid) => world.load(igsid, await api.messages(igsid))));
  const chosen = location.hash.slice(1);
  selected = [chosen, selected, ...world.people.keys()].find((igsid) => world.people.has(igsid)) ?? null;
  showAll();
  follow(state.mark, { onEntry, onState: showLink, onReset: restart });
}

/** Try again until the simulator is there. */
async function restart() {
  try {
    await start();
  } catch {
    showLink("lost");
    setTimeout(restart, 1000);
  }
}

function onEntry(entry) {
  if (entry.kind === "graph" || entry.kind === "webhook") return showCall(entry);
  const igsid = world.apply(entry);
  if (entry.kind === "person" && !selected) selected = igsid;
  if (igsid) showPeople(world, selected, pick);
  if (igsid && igsid === selected) showConversation();
  if (!igsid) showFaults(world);
  if (entry.kind === "clock") tell();
  if (entry.kind === "profile" && selected) showConversation();
}

function showAll() {
  showPeople(world, selected, pick);
  showFaults(world);
  if (selected) showConversation();
}

function showConversation() {
  showThread(world, world.people.get(selected));
  lookSoon();
}

function pick(igsid) {
  selected = igsid;
  history.replaceState(null, "", `#${igsid}`);
  world.people.get(igsid).isNew = false;
  forget();
  showAll();
}

function tell() {
  byId("phone-time").textContent = new Date(world?.now() ?? Date.now()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** Whoever has the conversation in front of them sees what has come. */
function lookSoon() {
  clearTimeout(looking);
  const igsid = selected;
  const last = [...world.people.get(igsid).messages.values()].at(-1);
  if (!last || last.author === "person" || document.hidden) return;
  looking = setTimeout(() => api.look(igsid).catch(() => {}), LOOK_MS);
}

function showLink(state) {
  const link = byId("link");
  link.dataset.state = state;
  link.textContent = state === "live" ? "live" : "reconnecting…";
}

function showPane(pane) {
  byId("app").dataset.pane = pane;
  for (const tab of document.querySelectorAll(".tab")) tab.setAttribute("aria-selected", String(tab.dataset.pane === pane));
  if (pane === "chat") return;
  byId("wire").hidden = pane !== "wire";
  byId("faults").hidden = pane !== "faults";
}

function setUpPage() {
  for (const tab of document.querySelectorAll(".tab")) tab.addEventListener("click", () => showPane(tab.dataset.pane));
  showPane(matchMedia("(max-width: 780px)").matches ? "chat" : "wire");
  byId("add-person").addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = byId("person-name");
    if (await api.attempt(api.addPerson(input.value))) input.value = "";
  });
  document.addEventListener("visibilitychange", () => world && selected && lookSoon());
  setInterval(tell, 5000);
  tell();
}

setUpPage();
setUpWire();
setUpFaults(() => selected);
setUpComposer(() => selected);
restart();
