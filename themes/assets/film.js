// A recorded run in a page that stands alone: panels, steps and terminals show it, a bar plays it.

import { Frames, indexAt, terminalNews } from './frames.js';
import { installPanels } from './panels.js';
import { makeBar, show } from './steps.js';
import { clockText } from './timer.js';

const SPEEDS = [1, 2, 4, 8];
/** Panels and the bar are drawn at most so often. */
const PACE_MS = 80;

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(stream).text());
}

/** The run at a moment, which moves while it plays. Looks to panels like the link to a server. */
class Film extends EventTarget {
  panels = new Map();
  /** Nobody can vote in a poll of the past. */
  closed = true;
  at = 0;
  until = 0;
  from = 0;
  speed = 1;
  playing = false;
  #frames = new Map();
  #shown = new Map();
  #since = 0;

  constructor(run) {
    super();
    this.run = run;
    for (const [key, list] of Object.entries(run.panels)) this.#frames.set(key, new Frames(list));
  }

  /** Goes to the part of a slide, unless it is in it. */
  slide(index) {
    this.pause();
    const part = this.run.slides[index];
    [this.from, this.until] = part ?? [this.at, this.at];
    this.seek(Math.min(Math.max(this.at, this.from), this.until));
  }

  seek(at) {
    this.at = Math.min(Math.max(at, this.from), this.until);
    this.#tell();
  }

  play(until = this.until) {
    if (this.at >= until) return;
    this.stopAt = until;
    this.playing = true;
    this.#since = performance.now();
    this.#tick();
    this.dispatchEvent(new Event('turn'));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.dispatchEvent(new Event('turn'));
  }

  #tick() {
    if (!this.playing) return;
    const now = performance.now();
    this.at = Math.min(this.at + (now - this.#since) * this.speed, this.stopAt);
    this.#since = now;
    this.#tell();
    if (this.at >= this.stopAt) this.pause();
    else setTimeout(() => requestAnimationFrame(() => this.#tick()), PACE_MS);
  }

  #tell() {
    for (const [key, frames] of this.#frames) {
      const picture = frames.at(this.at);
      const index = picture?.index ?? -1;
      if (index < 0 || this.#shown.get(key) === index) continue;
      this.#shown.set(key, index);
      const data = { key, html: picture.html, time: picture.time, replay: this.run.label };
      this.panels.set(key, data);
      this.dispatchEvent(new CustomEvent('panel', { detail: data }));
    }
    this.dispatchEvent(new Event('moment'));
  }
}

/** Steps of slides: how they stood, and buttons that play them. */
function installStepBars(film, play) {
  const draw = () => {
    for (const holder of document.querySelectorAll('#deck .foredeck-step[data-step]')) {
      const name = holder.dataset.step;
      const list = film.run.steps[name];
      if (!list || !film.run.marks[name]) continue;
      let bar = holder.querySelector(':scope > .fd-step');
      if (!bar) {
        bar = makeBar(name, true, play);
        holder.append(bar);
        bar.querySelector('.fd-step-run').textContent = 'Play';
        bar.querySelector('.fd-step-run').setAttribute('aria-label', `Play the recorded run of ${name}`);
      }
      const index = indexAt(list, film.at);
      const [, state, took] = index < 0 ? [0, 'ready', null] : list[index];
      const active = state === 'running' || state === 'waiting';
      const { from } = film.run.marks[name];
      show(bar, { state, took_ms: active ? Math.max(0, film.at - from) : took, started_ms: 0 }, 0);
    }
  };
  film.addEventListener('moment', draw);
  return draw;
}

async function installTerminals(app, film) {
  const { Screen, terminalName } = await import('./terminal.js');
  const shown = new Map();
  const write = (screen) => {
    const list = film.run.terminals[screen.name];
    if (!list) return;
    const { size, anew, text } = terminalNews(list, shown.get(screen) ?? null, film.at);
    if (size && (screen.term.cols !== size[0] || screen.term.rows !== size[1])) screen.term.resize(...size);
    if (anew) screen.term.reset();
    if (text) screen.term.write(text);
    shown.set(screen, film.at);
  };
  const feed = {
    show: (screen) => { shown.set(screen, null); write(screen); screen.replayed(film.run.label); },
    hide: (screen) => shown.delete(screen),
  };
  const screens = new Map();
  const draw = () => {
    const here = new Set(app.deck.current.querySelectorAll('figure[data-panel-kind="terminal"]'));
    for (const [figure, screen] of screens) if (!here.has(figure)) screen.hide();
    for (const figure of here) {
      if (!film.run.terminals[terminalName(figure.dataset)]) continue;
      if (!screens.has(figure)) screens.set(figure, new Screen(figure, { types: false, announce: app.announce, feed }));
      screens.get(figure).show();
    }
  };
  film.addEventListener('moment', () => { for (const screen of shown.keys()) write(screen); });
  app.deck.addEventListener('change', draw);
  draw();
}

/** The bar: play, scrub, marks of steps, speed, to the end. */
function installBar(app, film, play) {
  const box = document.getElementById('fd-film');
  const range = box.querySelector('input');
  const marks = box.querySelector('.fd-film-marks');
  const time = box.querySelector('output');
  const button = (name) => box.querySelector(`[data-film="${name}"]`);
  const drawMoment = () => {
    range.value = String(Math.round(film.at));
    const words = `${clockText(film.at - film.from)} of ${clockText(film.until - film.from)}`;
    if (time.textContent !== words) time.textContent = words;
    range.setAttribute('aria-valuetext', words);
    button('end').disabled = film.at >= film.until;
  };
  const drawTurn = () => {
    button('play').textContent = film.playing ? '❚❚' : '▶';
    button('play').setAttribute('aria-label', film.playing ? 'Pause (r)' : 'Play (r)');
  };
  const drawSlide = () => {
    const some = film.until > film.from;
    box.hidden = !some;
    document.documentElement.toggleAttribute('data-film', some);
    range.min = String(film.from);
    range.max = String(film.until);
    const names = [...app.deck.current.querySelectorAll('.foredeck-step[data-step]')].map((step) => step.dataset.step);
    marks.replaceChildren(...names.filter((name) => film.run.marks[name]).map((name) => {
      const mark = document.createElement('button');
      mark.type = 'button';
      mark.title = name;
      mark.setAttribute('aria-label', `Go to ${name}`);
      mark.style.insetInlineStart = `${((film.run.marks[name].from - film.from) / (film.until - film.from)) * 100}%`;
      mark.addEventListener('click', () => { film.pause(); film.seek(film.run.marks[name].from); });
      return mark;
    }));
    drawMoment();
    drawTurn();
  };
  range.addEventListener('input', () => { film.pause(); film.seek(Number(range.value)); });
  button('play').addEventListener('click', () => play());
  button('end').addEventListener('click', () => { film.pause(); film.seek(film.until); });
  button('speed').addEventListener('click', ({ target }) => {
    film.speed = SPEEDS[(SPEEDS.indexOf(film.speed) + 1) % SPEEDS.length];
    target.textContent = `${film.speed}×`;
    target.setAttribute('aria-label', `Speed: ${film.speed} times`);
  });
  film.addEventListener('moment', drawMoment);
  film.addEventListener('turn', drawTurn);
  return drawSlide;
}

/** Plays the run that is in this page, when this browser can unpack it. */
export async function installFilm(app) {
  const { deck, calm, toast } = app;
  let run;
  try {
    run = await unpack(document.getElementById('foredeck-film').textContent.trim());
  } catch {
    // The snapshots stay: they say the same in text.
    document.documentElement.dataset.filmFailed = '';
    return;
  }
  const film = new Film(run);
  const play = (name) => {
    const mark = name && run.marks[name];
    if (!mark && film.playing) return film.pause();
    if (mark) film.seek(mark.from);
    else if (film.at >= film.until) film.seek(film.from);
    // Whoever wants no motion sees how it ends.
    return calm.matches ? film.seek(film.until) : film.play();
  };
  installPanels({ ...app, link: film });
  const drawSteps = installStepBars(film, play);
  const drawBar = installBar(app, film, play);
  const go = () => { film.slide(deck.index); drawBar(); drawSteps(); };
  deck.addEventListener('change', ({ detail }) => { if (detail.from.index !== detail.index) go(); });
  if (Object.keys(run.terminals).length > 0) await installTerminals(app, film);
  Object.assign(app.actions, {
    run: () => (film.until > film.from ? play() : toast('Nothing was recorded on this slide.')),
    undo: () => {
      if (film.until <= film.from) return toast('Nothing was recorded on this slide.');
      film.pause();
      const before = Object.values(run.marks).map((mark) => mark.from).filter((from) => from >= film.from && from < film.at);
      film.seek(Math.max(film.from, ...before));
      return undefined;
    },
    replay: () => toast('Everything here is from the recorded run: there is no live demo behind this file.'),
  });
  go();
  document.documentElement.dataset.filmReady = '';
}
