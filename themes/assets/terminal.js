// Terminals on slides: xterm.js in `figure[data-panel-kind="terminal"]`, fed by /ws/term/NAME. The speaker types.

const DARK = {
  foreground: '#e6e9ef', cursor: '#e6e9ef', selectionBackground: '#4a5568',
  black: '#1b1f27', red: '#ff8f86', green: '#7ddc9b', yellow: '#f4cd72', blue: '#82b8ff', magenta: '#d9a5ff', cyan: '#76dbe4', white: '#dfe3ea',
  brightBlack: '#8b95a7', brightRed: '#ffb3ad', brightGreen: '#a5ecbb', brightYellow: '#ffe0a0', brightBlue: '#aed2ff', brightMagenta: '#e8c8ff', brightCyan: '#a6ecf2', brightWhite: '#ffffff',
};
const LIGHT = {
  foreground: '#1d2430', cursor: '#1d2430', selectionBackground: '#b9cdea',
  black: '#1d2430', red: '#b3261e', green: '#1b6b36', yellow: '#7a5200', blue: '#1553a8', magenta: '#7a2ba0', cyan: '#0c6470', white: '#5b6575',
  brightBlack: '#5b6575', brightRed: '#c4372e', brightGreen: '#21803f', brightYellow: '#8c6000', brightBlue: '#1c66c9', brightMagenta: '#9338bf', brightCyan: '#0f7887', brightWhite: '#333d4c',
};

/** The name of a figure's terminal: what steps call it with `in=NAME`. */
export function terminalName({ panelKey = '', panelId = '' }) {
  const named = /(?:^| )name="([^"]*)"/.exec(panelKey)?.[1];
  return named || (/^panel-\d+$/.test(panelId) ? '' : panelId) || 'main';
}

/** Columns and lines that the author asked for; 0 for as many as fit. */
export function fixedSize({ panelKey = '' }) {
  const number = (key) => Number(new RegExp(`(?:^| )${key}="(\\d+)"`).exec(panelKey)?.[1] ?? 0);
  return { columns: number('cols'), rows: number('rows') };
}

/** Whether text of this CSS colour stands on something dark. */
export function isLight(color) {
  const [r, g, b] = (/rgba?\(([^)]*)\)/.exec(color)?.[1] ?? '0,0,0').split(/[ ,/]+/).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 140;
}

let library = null;
function load() {
  library ??= Promise.all([import('./xterm/xterm.js'), import('./xterm/addon-fit.js')]).then(([{ Terminal }, { FitAddon }]) => {
    // A page that stands alone has it in itself.
    if (!document.querySelector('style[data-xterm]')) {
      const sheet = document.createElement('link');
      sheet.rel = 'stylesheet';
      sheet.href = new URL('./xterm/xterm.css', import.meta.url).href;
      document.head.append(sheet);
    }
    return { Terminal, FitAddon };
  });
  return library;
}

/** One terminal on one slide. It is connected while its slide is shown. */
export class Screen {
  #socket = null;
  #retries = 0;
  #timer = 0;
  #encoder = new TextEncoder();
  #shown = false;
  #said = '';
  #waits = false;

  /** `feed` has `show(screen)` and `hide(screen)`, and writes what the terminal shows; a server is asked without one. */
  constructor(figure, { types, announce, feed = null }) {
    this.feed = feed;
    this.figure = figure;
    this.types = types;
    this.announce = announce;
    this.name = terminalName(figure.dataset);
    this.run = '';
  }

  async show() {
    if (this.#shown) return;
    this.#shown = true;
    if (!this.term) await this.#make();
    if (!this.#shown) return;
    if (this.feed) this.feed.show(this);
    else this.#connect();
  }

  hide() {
    this.#shown = false;
    this.feed?.hide(this);
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  async #make() {
    const { Terminal, FitAddon } = await load();
    const holder = document.createElement('div');
    holder.className = 'fd-term';
    this.note = document.createElement('p');
    this.note.className = 'fd-term-note';
    const section = this.figure.closest('section') ?? this.figure;
    const fixed = fixedSize(this.figure.dataset);
    this.term = new Terminal({
      theme: { ...(isLight(getComputedStyle(section).color) ? DARK : LIGHT), background: '#00000000' },
      allowTransparency: true,
      fontFamily: getComputedStyle(this.figure.querySelector('code') ?? this.figure).fontFamily,
      fontSize: parseFloat(getComputedStyle(this.figure).fontSize) * 0.68 || 18,
      lineHeight: 1.15,
      scrollback: 2000,
      cursorBlink: false,
      disableStdin: !this.types,
      screenReaderMode: true,
      convertEol: false,
      ...(fixed.columns ? { cols: fixed.columns } : {}),
      ...(fixed.rows ? { rows: fixed.rows } : {}),
    });
    this.fit = new FitAddon();
    this.term.loadAddon(this.fit);
    this.#note();
    this.figure.append(holder, this.note);
    this.figure.classList.add('fd-term-on');
    this.#fill(holder, section);
    this.term.open(holder);
    this.term.textarea?.setAttribute('aria-label', this.types ? `Terminal ${this.name}. Ctrl-q leaves it.` : `Terminal ${this.name}`);
    if (!this.types) this.term.textarea?.setAttribute('tabindex', '-1');
    this.term.attachCustomKeyEventHandler((event) => this.#key(event));
    this.term.onData((data) => this.#send(this.#encoder.encode(data)));
    this.term.onBinary((data) => this.#send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.term.textarea?.addEventListener('focus', () => this.#say('Ctrl-q leaves the terminal'));
    this.term.textarea?.addEventListener('blur', () => this.#say(''));
    // Letters must not be measured before their font is there.
    await document.fonts?.ready;
  }

  /** Takes the room that is left on the slide, unless the author gave the frame a height. */
  #fill(holder, section) {
    if (this.figure.style.height) return;
    const outer = section.getBoundingClientRect();
    const scale = outer.width / section.offsetWidth || 1;
    const below = parseFloat(getComputedStyle(section).paddingBottom) + (parseFloat(getComputedStyle(this.figure).marginBottom) || 0);
    const left = (outer.bottom - holder.getBoundingClientRect().top) / scale - below - 24;
    holder.style.setProperty('--fd-term-height', `${Math.round(Math.min(Math.max(left, 120), 470))}px`);
  }

  /** Ctrl-q gives the keys back to the slides; F5 of a clicker never reaches a program. */
  #key(event) {
    if (event.ctrlKey && !event.altKey && event.key.toLowerCase() === 'q') {
      event.preventDefault();
      if (event.type === 'keydown') {
        this.term.blur();
        this.announce('Left the terminal');
      }
      return false;
    }
    return event.key !== 'F5';
  }

  #say(text) {
    this.#said = text;
    this.#note();
  }

  /** Says that what is shown is from a recorded run; nothing when it is live. */
  replayed(run) {
    this.run = run;
    if (this.note) this.#note();
  }

  #note() {
    this.note.textContent = this.run ? `replay · ${this.run}` : this.#said;
  }

  /** Types a command; says whether there is a shell to take it. */
  type(text) {
    if (!this.types || this.#waits || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#send(this.#encoder.encode(`${text.trimEnd().replaceAll('\n', '\r')}\r`));
    return true;
  }

  #send(bytes) {
    if (this.types && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #connect() {
    clearTimeout(this.#timer);
    const url = new URL(`/ws/term/${encodeURIComponent(this.name)}${this.types ? '' : '?as=viewer'}`, location.origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#retries = 0;
      this.figure.dataset.terminal = 'open';
      this.#ask();
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === 'string') this.#news(JSON.parse(data));
      else this.term.write(new Uint8Array(data));
    });
    socket.addEventListener('close', () => {
      if (socket !== this.#socket) return;
      this.figure.dataset.terminal = 'lost';
      this.#retries += 1;
      this.#timer = setTimeout(() => this.#connect(), Math.min(300 * 2 ** this.#retries, 10_000) * (0.5 + Math.random() / 2));
    });
  }

  /** Asks for the size that fits; the slide is equally large for all windows, so all ask for the same. */
  #ask() {
    if (!this.types) return;
    const fixed = fixedSize(this.figure.dataset);
    const fits = this.fit.proposeDimensions();
    const columns = fixed.columns || fits?.cols;
    const rows = fixed.rows || fits?.rows;
    if (columns && rows) this.#socket.send(JSON.stringify({ type: 'size', columns, rows }));
  }

  #news(news) {
    const waited = this.#waits;
    this.#waits = news.type === 'waiting' || news.type === 'over';
    if (news.type === 'size') {
      this.term.resize(news.columns, news.rows);
      // What was asked for before there was a shell was heard by nobody.
      if (waited) this.#ask();
    }
    if (news.type === 'anew') this.term.reset();
    else if (news.type === 'waiting') this.#say(`${news.why}. Press a key to try again.`);
    else if (news.type === 'over' && this.types) this.term.write(`\r\n\x1b[2m[${news.why}; press a key for another one]\x1b[0m\r\n`);
  }
}

/** Connects the terminals of the slide that is shown, and lets go of the others. Returns { redraw(), type(text) }. */
export function installTerminals({ deck, boot, link, announce }) {
  const screens = new Map();
  const types = boot.role === 'presenter' && !boot.follow;
  const draw = () => {
    const here = new Set(deck.current.querySelectorAll('figure[data-panel-kind="terminal"]'));
    for (const [figure, screen] of screens) {
      if (!figure.isConnected) {
        screen.hide();
        screens.delete(figure);
      } else if (!here.has(figure)) screen.hide();
    }
    for (const figure of here) {
      if (!screens.has(figure)) screens.set(figure, new Screen(figure, { types, announce }));
      screens.get(figure).show();
    }
    mark();
  };
  const mark = () => {
    const { terminals = [], label = '' } = link?.last?.replay ?? {};
    for (const screen of screens.values()) screen.replayed(terminals.includes(screen.name) ? label : '');
  };
  link?.addEventListener('replay', mark);
  deck.addEventListener('change', draw);
  draw();
  return { redraw: draw, type: (text) => [...screens.values()].some((screen) => screen.type(text)) };
}
