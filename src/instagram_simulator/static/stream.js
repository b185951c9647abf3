/* Everything that happens, as it happens; survives lost connections and restarts. */

/**
 * Call `onEntry` with each entry after `mark`, in order. `onState` hears `live` and `lost`;
 * `onReset` is called when entries were missed, after which the state has to be read anew.
 */
export function follow(mark, { onEntry, onState, onReset }) {
  let last = mark;
  let source;

  function open() {
    source = new EventSource(`/_sim/events?after=${encodeURIComponent(last)}`);
    source.onopen = () => onState("live");
    source.onmessage = (event) => {
      last = event.lastEventId;
      onEntry(JSON.parse(event.data));
    };
    source.addEventListener("reset", () => {
      source.close();
      onReset();
    });
    source.onerror = () => {
      onState("lost");
      // The browser tries again by itself unless it was told no; then it is up to us.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 1000);
    };
  }

  open();
  return () => source.close();
}
