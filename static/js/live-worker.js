// The one live connection of a browser. Loaded as a SharedWorker it serves every tab of this host;
// where there is none, a tab imports it and holds a connection of its own.
//
// tab -> here:  {do: "join", cursor, symbols} {do: "symbols", symbols} {do: "retry"} {do: "ping"}
//               {do: "bye"}
// here -> tab:  {is: "state", ...} {is: "row", p, topic, data} {is: "quote", data} {is: "beat", data}
//               {is: "mark", data} {is: "reset"} {is: "rejoin"}
//
// `symbols` names what is followed: symbols of quotes, and "mark:<account>" for positions' worth.

const STREAM = "/stream/portal";
const TOPICS = "/stream/topics";
const SILENT_MS = 12_000;       // a heartbeat comes every 5 s
const OFFLINE_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const DEAD_PORT_MS = 150_000;   // hidden tabs may run a timer once a minute only
const KEPT_ROWS = 2_000;
const LOST = new Set(["reconnecting", "offline", "signed-out"]);

const MARK = "mark:";

function isMark(topic) {
  return topic.startsWith(MARK);
}

function topicOf(symbol) {
  return isMark(symbol) ? symbol : `quote:${symbol}`;
}

function wantsMark(symbols, { account }) {
  return symbols.has(MARK + account);
}

/** Splits the bytes of an event stream into {id, event, data}. */
export class Blocks {
  #rest = "";
  #decoder = new TextDecoder();

  /** The blocks that are complete with these bytes. */
  take(bytes) {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const texts = this.#rest.split("\n\n");
    this.#rest = texts.pop();
    return texts.map((text) => {
      const block = { id: null, event: "message", data: "" };
      for (const line of text.split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) block[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
      }
      return block;
    });
  }
}

/** The connection, and the tabs that live on it. */
export class LiveHub {
  #tabs = new Map();            // port -> {cursor, symbols, seen}
  #rows = [];                   // the newest rows, for a tab that joins later
  #keptFrom = null;             // every row above this position is in #rows
  #position = null;             // the last position received
  #quotes = new Map();
  #marks = new Map();           // the newest mark by its key
  #beat = null;
  #state = { name: "idle", since: Date.now(), retryAt: null };
  #conn = null;                 // the server's name of the open connection
  #followed = new Set();        // the symbols the server knows we follow
  #abort = null;
  #lastByte = 0;
  #failures = 0;
  #retryTimer = null;
  #topicsBusy = false;

  constructor() {
    setInterval(() => this.#watch(), 500);
    self.addEventListener("online", () => this.#retryNow());
  }

  /** Serve a tab behind a MessagePort. */
  connect(port) {
    port.onmessage = ({ data }) => this.#told(port, data);
    port.start?.();
  }

  #told(port, message) {
    const tab = this.#tabs.get(port);
    if (tab) tab.seen = Date.now();
    else if (message.do === "ping" || message.do === "symbols") {
      port.postMessage({ is: "rejoin" });  // it slept so long that it was given up
      return;
    }
    switch (message.do) {
      case "join": this.#join(port, message); break;
      case "symbols":
        if (tab) {
          const known = tab.symbols;
          tab.symbols = new Set(message.symbols);
          this.#tellQuotes(port, [...tab.symbols].filter((symbol) => !known.has(symbol)));
          this.#sayTopics();
        }
        break;
      case "retry": this.#retryNow(); break;
      case "bye": this.#leave(port); break;
    }
  }

  #join(port, { cursor, symbols }) {
    this.#tabs.set(port, { cursor, symbols: new Set(symbols), seen: Date.now() });
    port.postMessage({ is: "state", ...this.#state });
    if (this.#beat) port.postMessage({ is: "beat", data: this.#beat });
    if (cursor !== null && this.#keptFrom !== null && cursor < this.#keptFrom) {
      port.postMessage({ is: "reset" });  // older than what is kept here
    } else if (cursor !== null) {
      for (const row of this.#rows) this.#tellRow(port, row);
    }
    this.#tellQuotes(port, symbols);
    if (this.#abort === null && this.#retryTimer === null) this.#open();
    else if (this.#state.name !== "live") this.#retryNow();
    this.#sayTopics();
  }

  #leave(port) {
    this.#tabs.delete(port);
    if (this.#tabs.size === 0) {
      this.#close();
      // What happens from now on is not seen: the next tab brings a cursor of its own.
      this.#rows = [];
      this.#keptFrom = this.#position = this.#beat = null;
      this.#quotes.clear();
      this.#marks.clear();
      this.#enter("idle");
    } else {
      this.#sayTopics();
    }
  }

  // --- the connection

  #wanted() {
    const symbols = new Set();
    for (const tab of this.#tabs.values()) for (const symbol of tab.symbols) symbols.add(symbol);
    return symbols;
  }

  async #open() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const abort = this.#abort = new AbortController();
    if (this.#position === null) {
      const cursors = [...this.#tabs.values()].map((tab) => tab.cursor).filter((at) => at !== null);
      if (cursors.length) this.#position = this.#keptFrom = Math.min(...cursors);
    }
    const query = new URLSearchParams();
    if (this.#position !== null) query.set("after", String(this.#position));
    const symbols = [...this.#wanted()].sort();
    const accounts = symbols.filter(isMark).map((topic) => topic.slice(MARK.length));
    const quoted = symbols.filter((topic) => !isMark(topic));
    if (quoted.length) query.set("symbols", quoted.join(","));
    if (accounts.length) query.set("accounts", accounts.join(","));
    this.#followed = new Set(symbols);
    this.#lastByte = Date.now();
    if (this.#state.name === "idle") this.#enter("connecting");
    let refusal = 0;
    try {
      const answer = await fetch(`${STREAM}?${query}`, {
        headers: { accept: "text/event-stream" },
        cache: "no-store",
        credentials: "same-origin",
        signal: abort.signal,
      });
      if (!answer.ok) {
        refusal = answer.status;
        throw new Error(`the stream answered ${answer.status}`);
      }
      await this.#read(answer.body.getReader(), abort);
    } catch {
      // Every way it ends is the same: lost, and tried again. The state tells the person.
    }
    if (this.#abort !== abort) return;  // closed or replaced meanwhile
    this.#abort = this.#conn = null;
    this.#lost(refusal);
  }

  async #read(reader, abort) {
    const blocks = new Blocks();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#abort !== abort) return;
      this.#lastByte = Date.now();
      for (const block of blocks.take(value)) {
        if (block.event !== "message") this.#received(block);
      }
    }
  }

  #received({ id, event, data }) {
    const body = JSON.parse(data);
    switch (event) {
      case "hello":
        this.#conn = body.conn;
        this.#failures = 0;
        if (this.#position === null) this.#position = this.#keptFrom = body.p;
        this.#enter("live");
        this.#sayTopics();
        return;
      case "hb":
        this.#beat = body;
        this.#tellAll({ is: "beat", data: body });
        return;
      case "quote":
        this.#quotes.set(body.k, body);
        for (const [port, tab] of this.#tabs) {
          if (tab.symbols.has(body.k)) port.postMessage({ is: "quote", data: body });
        }
        return;
      case "mark":
        this.#marks.set(body.k, body);
        for (const [port, tab] of this.#tabs) {
          if (wantsMark(tab.symbols, body)) port.postMessage({ is: "mark", data: body });
        }
        return;
      case "reset":
        this.#rows = [];
        this.#position = this.#keptFrom = body.p;
        this.#tellAll({ is: "reset" });
        return;
      case "end":
        if (body.code === "unauthenticated") this.#enter("signed-out");
        return;
    }
    if (id === null) return;
    const position = Number(id);
    if (position <= this.#position) return;  // known already
    this.#position = position;
    const row = { is: "row", p: position, topic: event, data: body };
    this.#rows.push(row);
    if (this.#rows.length > KEPT_ROWS) this.#keptFrom = this.#rows.shift().p;
    for (const port of this.#tabs.keys()) this.#tellRow(port, row);
  }

  #lost(refusal) {
    if (this.#tabs.size === 0) return;
    const isOut = refusal === 401 || refusal === 403 || this.#state.name === "signed-out";
    this.#failures += 1;
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    const wait = isOut ? LONGEST_RETRY_MS : longest * (0.5 + Math.random() / 2);
    this.#state.retryAt = Date.now() + wait;
    this.#enter(isOut ? "signed-out" : this.#isLongLost() ? "offline" : "reconnecting");
    this.#retryTimer = setTimeout(() => this.#open(), wait);
  }

  #isLongLost() {
    return this.#state.name === "offline" || Date.now() - this.#state.since > OFFLINE_MS;
  }

  #retryNow() {
    if (this.#retryTimer === null) return;
    this.#failures = 0;
    this.#open();
  }

  #close() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const abort = this.#abort;
    this.#abort = this.#conn = null;
    abort?.abort();
  }

  #watch() {
    const now = Date.now();
    for (const [port, tab] of this.#tabs) if (now - tab.seen > DEAD_PORT_MS) this.#leave(port);
    if (this.#abort !== null && now - this.#lastByte > SILENT_MS) {
      const abort = this.#abort;
      this.#abort = this.#conn = null;
      abort.abort();
      this.#lost(0);
    }
    if (this.#state.name === "reconnecting" && this.#isLongLost()) this.#enter("offline");
  }

  // --- telling the tabs

  // `since` of a lost connection is its last byte: until then everything shown was true.
  #enter(name) {
    const { name: before, since: beforeSince } = this.#state;
    const isLost = LOST.has(name);
    let since = Date.now();
    if (isLost) since = before === "live" ? this.#lastByte : beforeSince;
    this.#state = { name, since, retryAt: isLost ? this.#state.retryAt : null };
    this.#tellAll({ is: "state", ...this.#state });
  }

  #tellAll(message) {
    for (const port of this.#tabs.keys()) port.postMessage(message);
  }

  #tellRow(port, row) {
    const { cursor } = this.#tabs.get(port);
    if (cursor === null || row.p > cursor) port.postMessage(row);
  }

  #tellQuotes(port, symbols) {
    for (const symbol of symbols) {
      const data = this.#quotes.get(symbol);
      if (data) port.postMessage({ is: "quote", data });
    }
    for (const data of this.#marks.values()) {
      if (wantsMark(new Set(symbols), data)) port.postMessage({ is: "mark", data });
    }
  }

  // Bring the server's idea of our symbols up to what the tabs want; one request at a time.
  async #sayTopics() {
    if (this.#conn === null || this.#topicsBusy) return;
    const wanted = this.#wanted();
    const add = [...wanted].filter((symbol) => !this.#followed.has(symbol));
    const remove = [...this.#followed].filter((symbol) => !wanted.has(symbol));
    if (!add.length && !remove.length) return;
    for (const symbol of remove) this.#quotes.delete(symbol);
    for (const [key, data] of this.#marks) if (wantsMark(new Set(remove), data)) this.#marks.delete(key);
    const conn = this.#conn;
    this.#topicsBusy = true;
    let isTaken = false;
    try {
      const answer = await fetch(TOPICS, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          conn,
          add: add.map(topicOf),
          remove: remove.map(topicOf),
        }),
      });
      isTaken = answer.ok;
    } catch {
      isTaken = false;
    }
    this.#topicsBusy = false;
    if (conn !== this.#conn) {
      this.#sayTopics();
    } else if (isTaken) {
      this.#followed = wanted;
      this.#sayTopics();
    } else {
      this.#close();  // a connection opened anew names every symbol in its address
      this.#lost(0);
    }
  }
}

if (typeof SharedWorkerGlobalScope !== "undefined" && self instanceof SharedWorkerGlobalScope) {
  const hub = new LiveHub();
  self.onconnect = ({ ports }) => hub.connect(ports[0]);
}
