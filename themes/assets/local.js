// The link between windows of one exported file: no server, the windows tell each other.

const PREFIX = 'foredeck-sync-';

function storage() {
  try {
    localStorage.setItem(`${PREFIX}probe`, '1');
    localStorage.removeItem(`${PREFIX}probe`);
    return localStorage;
  } catch {
    return null;
  }
}

/** The key that ties windows together: from ?sync=, else kept in the history entry, else new. */
export function takeKey() {
  const query = new URLSearchParams(location.search);
  const key = query.get('sync') ?? history.state?.sync ?? Array.from(crypto.getRandomValues(new Uint8Array(9)), (n) => n.toString(36)).join('');
  query.delete('sync');
  const text = query.toString();
  try {
    history.replaceState({ ...history.state, sync: key }, '', `${location.pathname}${text ? `?${text}` : ''}${location.hash}`);
  } catch {
    // A sandboxed frame: windows still find each other through their handles.
  }
  return key;
}

/**
 * Same surface as the server's link. The state has the server's shape; whoever acts makes the next version.
 * Three roads, all at once, since none is open in every browser on file: pages:
 * window handles, BroadcastChannel, localStorage.
 */
export class LocalLink extends EventTarget {
  drive = true;
  status = 'open';
  #peers = new Set();
  #channel = null;
  #store = storage();
  #me = Math.random().toString(36).slice(2);

  constructor({ deck, key, position }) {
    super();
    this.key = key;
    this.state = {
      v: 0, deck, slide: position.index, fragment: position.fragment, screen: 'live', freeze: false, zoom: null,
      timer: { running: false, elapsed_ms: 0, at_ms: Date.now() }, deck_version: 0,
    };
  }

  start() {
    if (window.opener) this.#peers.add(window.opener);
    window.addEventListener('message', ({ data, source }) => {
      if (data?.foredeck !== this.key || source === window) return;
      if (source) this.#peers.add(source);
      this.#receive(data);
    });
    try {
      this.#channel = new BroadcastChannel(PREFIX + this.key);
      this.#channel.onmessage = ({ data }) => this.#receive(data);
    } catch {
      this.#channel = null;
    }
    window.addEventListener('storage', ({ key, newValue }) => {
      if (key !== PREFIX + this.key || !newValue) return;
      try {
        this.#receive(JSON.parse(newValue));
      } catch {
        // Somebody else's value under our name.
      }
    });
    window.addEventListener('pagehide', () => this.#store?.removeItem(PREFIX + this.key));
    this.#tell({ type: 'hello' });
    // A parent that reloads loses its handle to us, and can be told only by us.
    if (window.opener) setInterval(() => document.visibilityState === 'visible' && this.#post({ type: 'here' }), 2000);
  }

  /** Adds a window that this one opened. */
  meet(handle) {
    if (handle) this.#peers.add(handle);
  }

  #wrap(message) {
    return { foredeck: this.key, from: this.#me, state: this.state, ...message };
  }

  #post(message) {
    for (const peer of this.#peers) {
      if (peer.closed) this.#peers.delete(peer);
      else peer.postMessage(this.#wrap(message), '*');
    }
  }

  #tell(message) {
    this.#post(message);
    this.#channel?.postMessage(this.#wrap(message));
    try {
      this.#store?.setItem(PREFIX + this.key, JSON.stringify(this.#wrap(message)));
    } catch {
      this.#store = null;
    }
  }

  #receive(message) {
    if (message.from === this.#me || !message.state) return;
    if (message.type === 'laser') this.#emit('laser', message.at);
    const { state } = message;
    const newer = state.v > this.state.v || (state.v === this.state.v && message.type === 'state' && message.from > this.#me);
    if (newer) {
      this.state = state;
      this.#emit('state', { state, position: true, restarted: false });
    } else if (state.v < this.state.v && (message.type === 'hello' || message.type === 'here')) {
      this.#tell({ type: 'state' });
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  send(command) {
    if (command.do === 'laser') {
      this.#tell({ type: 'laser', at: command.to });
      return;
    }
    this.state = { ...this.state, ...change(this.state, command), v: this.state.v + 1 };
    this.#tell({ type: 'state' });
    this.#emit('state', { state: this.state, position: false, restarted: false });
  }
}

/** What a command changes in the state. */
function change(state, command) {
  switch (command.do) {
    case 'goto': return { slide: command.slide, fragment: command.fragment };
    case 'screen': return { screen: command.to };
    case 'freeze': return { freeze: command.on };
    case 'zoom': return { zoom: command.to };
    case 'timer': return { timer: turn(state.timer, command.to, Date.now()) };
    default: return {};
  }
}

function turn(timer, to, now) {
  const elapsed_ms = timer.elapsed_ms + (timer.running ? now - timer.at_ms : 0);
  if (to === 'reset') return { running: timer.running, elapsed_ms: 0, at_ms: now };
  return { running: to === 'start', elapsed_ms, at_ms: now };
}
