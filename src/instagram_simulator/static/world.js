/* What the page knows: people, their messages, and how each entry changes that. */

const TYPING_MS = 20_000; // Instagram forgets typing after so long

export class World {
  constructor(state) {
    this.account = state.account;
    this.webhook = state.webhook;
    this.people = new Map();
    for (const each of state.people) this.#add(each);
    this.switches = state.switches;
    this.faults = state.faults;
    this.ahead = state.now - Date.now();
  }

  /** The world's time, which may be ahead of the real one. */
  now() {
    return Date.now() + this.ahead;
  }

  /** Take the messages of a conversation as they are now. */
  load(igsid, messages) {
    const conversation = this.people.get(igsid);
    conversation.messages = new Map(messages.map((message) => [message.mid, message]));
    conversation.isLoaded = true;
  }

  /** Change what `entry` tells of; return the igsid of the conversation concerned, if one is. */
  apply(entry) {
    const conversation = this.people.get(entry.igsid);
    switch (entry.kind) {
      case "person":
        this.#add({ person: entry, messages: 0 });
        return entry.igsid;
      case "message":
        conversation.messages.set(entry.mid, entry);
        conversation.isNew = entry.author !== "person";
        if (entry.author !== "person") conversation.typingUntil = 0;
        return entry.igsid;
      case "message.changed":
        if (conversation.messages.has(entry.mid)) conversation.messages.set(entry.mid, entry);
        return entry.igsid;
      case "typing":
        conversation.typingUntil = entry.is_on ? Date.now() + TYPING_MS : 0;
        return entry.igsid;
      case "seen":
        if (entry.by === "account") conversation.seenByAccount = entry.count;
        else conversation.isNew = false;
        return entry.igsid;
      case "switches":
        this.switches = entry;
        return null;
      case "faults":
        this.faults = entry.active;
        return null;
      case "clock":
        this.ahead = entry.now - Date.now();
        return null;
      default:
        return null;
    }
  }

  #add({ person, seen_by_account: seen = 0, is_typing: isTyping = false }) {
    this.people.set(person.igsid, {
      person,
      messages: new Map(),
      seenByAccount: seen,
      typingUntil: isTyping ? Date.now() + TYPING_MS : 0,
      isNew: false,
      isLoaded: false,
    });
  }
}

/** Return a message in a few words, for lists. */
export function gist(message) {
  if (!message) return "";
  if (message.is_deleted) return "Unsent a message";
  if (message.text) return message.text;
  const { type: kind, payload } = message.attachments[0] ?? {};
  if (payload?.text) return payload.text;
  return { image: "Photo", video: "Video", audio: "Voice message", template: "Cards", file: "File", like_heart: "❤️" }[kind] ?? "Attachment";
}
