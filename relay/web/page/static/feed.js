// The hub's state: loaded once, then kept by server-sent events. `fetch` reads them, because it can show a token.

const RETRY_MS = [500, 1000, 2000, 5000];
const SILENCE_MS = 25000;
let token = sessionStorage.getItem("relayhub.token") ?? "";

export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export function useToken(text) {
  token = text;
  sessionStorage.setItem("relayhub.token", text);
}

const headers = (more = {}) => (token ? { ...more, Authorization: `Bearer ${token}` } : more);

export async function ask(path) {
  const answer = await fetch(path, { headers: headers() });
  if (answer.ok) return answer.json();
  let text = answer.statusText;
  try {
    text = (await answer.json()).detail;
  } catch {
    // no problem+json: the status says enough
  }
  throw new Refusal(answer.status, text);
}

/** Removes what is gone, then sets the fields of what changed (relay.web.page.deltas). */
export function apply(state, delta) {
  for (const [section, items] of Object.entries(delta.gone)) for (const item of items) delete state[section]?.[item];
  for (const [section, items] of Object.entries(delta.changed)) {
    const mine = (state[section] ??= {});
    for (const [item, fields] of Object.entries(items)) mine[item] = { ...mine[item], ...fields };
  }
}

export class Feed {
  /** onstate(state, now, delta or null) after each change; onlink("live" | "lost" | "refused"). */
  constructor(onstate, onlink) {
    this.onstate = onstate;
    this.onlink = onlink;
    this.state = {};
    this.id = "";
    this.failures = 0;
    this.skew = 0;
  }

  /** The hub's clock, Unix seconds. */
  now() {
    return Date.now() / 1000 + this.skew;
  }

  async run() {
    for (;;) {
      try {
        if (!this.id) await this.load();
        await this.follow();
        await pause(RETRY_MS[0]);
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) {
          this.id = "";
          this.onlink("refused", error.message);
          return;
        }
        this.onlink("lost", error.message);
        await pause(RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
      }
    }
  }

  async load() {
    const { id, now, state } = await ask("/page/state");
    this.state = state;
    this.id = id;
    this.heard(now);
    this.onstate(this.state, null);
  }

  heard(now) {
    this.skew = now - Date.now() / 1000;
    this.failures = 0;
    this.onlink("live", "");
  }

  /** Reads events until the stream ends, or nothing came for longer than heartbeats are apart. */
  async follow() {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), SILENCE_MS);
    try {
      const answer = await fetch("/page/events", { headers: headers({ "Last-Event-ID": this.id }), signal: stop.signal });
      if (!answer.ok) throw new Refusal(answer.status, answer.statusText);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), SILENCE_MS);
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) this.take(event);
      }
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  take(event) {
    const lines = event.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
    const fields = Object.fromEntries(lines);
    const data = JSON.parse(fields.data);
    if (fields.event === "reload") {
      this.id = "";
      return;
    }
    this.heard(data.now);
    if (fields.event !== "delta") return;
    apply(this.state, data);
    this.id = data.id;
    this.onstate(this.state, data);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
