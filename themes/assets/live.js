// The link to a server: events come down /events, commands go up as POSTs, one at a time and in order.

const QUIET_MS = 30_000;
const LEAP = 1000;

/**
 * Events: `state` (detail: {state, position: whether its position counts}), `laser`, `reload`, `problems`, `status`,
 * `step`, `demo`, `clock`, `replay`, of which the last is kept in `last`, and `panel`, of which the last of each is in `panels`.
 * Guarantees: an older state never follows a newer one; while our own move is on its way, states do not move us back.
 */
export class ServerLink extends EventTarget {
  state = null;
  /** The last of each kind of news that says a whole state. */
  last = {};
  /** What panels show, by their key. */
  panels = new Map();
  status = 'connecting';
  #source = null;
  #retries = 0;
  #timer = 0;
  #quiet = 0;
  #fresh = true;
  #queue = [];
  #sending = null;
  /** Whether a position came down while our own move was on its way, and has not been taken over. */
  #missed = false;

  /** `version()` is the deck's version on this page; `follow` asks for what the audience sees; `resting` closes when hidden. */
  constructor({ deck, drive, version = () => 0, follow = false, resting = true }) {
    super();
    this.deck = deck;
    this.version = version;
    this.follow = follow;
    this.drive = drive;
    this.resting = resting;
  }

  /** Listens to another deck from now on. */
  retarget(deck) {
    if (deck === this.deck) return;
    this.deck = deck;
    delete this.last.step;
    this.panels.clear();
    this.#connect();
  }

  start() {
    this.#connect();
    window.addEventListener('online', () => this.#now());
    window.addEventListener('pagehide', () => this.#close());
    window.addEventListener('pageshow', (event) => event.persisted && this.#now());
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.#quiet);
      if (document.visibilityState === 'visible') this.#now();
      // Browsers allow six connections to a server: tabs nobody looks at give theirs back.
      else if (this.resting) this.#quiet = setTimeout(() => { this.#close(); this.#set('resting'); }, QUIET_MS);
    });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #set(status) {
    if (status === this.status) return;
    this.status = status;
    this.#emit('status', status);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** Connects at once unless connected. */
  #now() {
    if (this.#source?.readyState === EventSource.OPEN) return;
    this.#retries = 0;
    this.#connect();
  }

  #connect() {
    this.#close();
    const query = new URLSearchParams({ deck: this.deck, version: String(this.version()) });
    if (this.follow) query.set('as', 'viewer');
    const source = new EventSource(`/events?${query}`);
    this.#source = source;
    const on = (name, act) => source.addEventListener(name, (event) => {
      let data = null;
      try {
        data = event.data ? JSON.parse(event.data) : null;
      } catch {
        return;
      }
      act(data);
    });
    source.onopen = () => {
      this.#retries = 0;
      this.#fresh = true;
      this.#set('open');
    };
    source.onerror = () => this.#lost();
    on('state', (state) => state && this.#accept(state));
    on('laser', (at) => this.#emit('laser', at));
    on('reload', (reload) => reload && this.#emit('reload', reload));
    on('problems', (problems) => problems && this.#emit('problems', problems));
    for (const name of ['step', 'demo', 'clock', 'replay']) {
      on(name, (data) => {
        this.last[name] = data;
        this.#emit(name, data);
      });
    }
    on('panel', (panel) => {
      if (typeof panel?.key !== 'string') return;
      this.panels.set(panel.key, panel);
      this.#emit('panel', panel);
    });
    on('bye', () => this.#lost());
  }

  #lost() {
    this.#close();
    this.#set('lost');
    const wait = Math.min(250 * 2 ** this.#retries, 10_000) * (0.5 + Math.random() / 2);
    this.#retries += 1;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #accept(state) {
    const before = this.state;
    // Versions start at the clock when a server starts: a leap means that it is another one.
    const restarted = this.#fresh && before && Math.abs(state.v - before.v) > LEAP;
    if (before && !this.#fresh && state.v < before.v) return;
    this.#fresh = false;
    this.state = state;
    // A server that started anew knows less about where the talk is than this window does.
    const moving = this.#queue.concat(this.#sending ?? []).some(({ do: what }) => ['goto', 'next', 'previous'].includes(what));
    this.#missed = moving;
    this.#emit('state', { state, position: !moving && !restarted, restarted: Boolean(restarted) });
  }

  /** Sends a command; of several moves that wait, only the last is sent. */
  send(command) {
    if (!this.drive) return;
    const last = this.#queue.at(-1);
    if (last && last.do === command.do && ['goto', 'laser', 'zoom'].includes(command.do)) this.#queue.pop();
    this.#queue.push(command);
    if (!this.#sending) this.#drain();
  }

  async #drain() {
    while (this.#queue.length > 0) {
      this.#sending = this.#queue.shift();
      let state = null;
      try {
        const answer = await fetch('/api/v1/control', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(this.#sending),
          keepalive: true,
        });
        if (answer.ok) state = await answer.json();
        else if (answer.status === 401 || answer.status === 403) {
          this.drive = false;
          this.#emit('status', 'refused');
        } else this.#emit('refused', { command: this.#sending, status: answer.status });
      } catch {
        // The next command, or the reconnect, brings both sides together again.
        this.#emit('unsent', this.#sending);
      }
      this.#sending = null;
      if (state && typeof state.v === 'number') this.#accept(state);
    }
    // Another window moved after us: its news overtook the answer to our own move.
    if (this.#missed) this.#accept(this.state);
  }
}
