/* The control API of the simulator. */

import { toast } from "./dom.js";

async function call(method, path, body, type = "application/json") {
  const request = { method };
  if (body !== undefined) {
    request.headers = { "Content-Type": type };
    request.body = type === "application/json" ? JSON.stringify(body) : body;
  }
  const answer = await fetch(`/_sim/${path}`, request);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error ?? `the simulator answered ${answer.status}`);
  return value;
}

/** Do `what`; say so if it fails. Returns whether it worked. */
export async function attempt(what) {
  try {
    await what;
    return true;
  } catch (error) {
    toast(error instanceof TypeError ? "The simulator is not reachable." : error.message);
    return false;
  }
}

const message = (mid) => `messages/${encodeURIComponent(mid)}`;
const person = (igsid, what) => `people/${encodeURIComponent(igsid)}/${what}`;

export const state = () => call("GET", "state");
export const calls = () => call("GET", "calls?limit=100");
export const messages = (igsid) => call("GET", person(igsid, "messages"));
export const addPerson = (name) => call("POST", "people", { name });
export const write = (igsid, what) => call("POST", person(igsid, "messages"), what);
export const sendImage = (igsid, file) => call("POST", person(igsid, "images"), file, file.type);
export const look = (igsid) => call("POST", person(igsid, "look"));
export const unsend = (mid) => call("DELETE", message(mid));
export const edit = (mid, text) => call("PATCH", message(mid), { text });
export const react = (mid, emoji) => call("PUT", `${message(mid)}/reaction`, { emoji });
export const unreact = (mid) => call("DELETE", `${message(mid)}/reaction`);
export const addFault = (fault) => call("POST", "faults", fault);
export const removeFault = (number) => call("DELETE", `faults/${number}`);
export const heal = () => call("DELETE", "faults");
export const release = () => call("POST", "release");
export const flip = (changes) => call("PATCH", "switches", changes);
export const advance = (seconds) => call("POST", "clock", { advance: seconds });
export const setFields = (account) => call("POST", "fields", { account });
