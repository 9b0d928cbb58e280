// Live panels: what the server shows in them takes the place of their snapshots, on slides and on every copy of one.

import { serverNow, syncClock } from './timer.js';
import { fitPanel } from './fit.js';
import { ask } from './steps.js';

/** How long what changed glows. */
const GLOW_MS = 1600;
/** How long the live and the recorded picture of a panel are both seen when one takes the other's place. */
const FADE_MS = 260;
/** Screen readers are told of changes at most so often. */
const QUIET_MS = 5000;
/** Times and ages pass by themselves: they are no news. */
const DURATION = /(?:\d+(?:\.\d+)?\s?(?:ms|min|s|m|h|d))+\b/g;

/** Panels that can be live. */
export const FIGURES = 'figure.foredeck-panel[data-panel-key]';

/** `12 s`, `3 min`, `2 h`. */
export function ageText(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** What a row says, without what changes all the time. */
export const meaning = (text, mark = '') => `${mark} ${text.replace(DURATION, '·')}`;

/** The last of what one panel shows, and which of its rows changed when. */
class Panel {
  html = null;
  number = 0;
  #rows = null;
  #changed = new Map();

  /** Takes in what the server says; gives the texts of what changed, or null when everything is new. */
  take(data) {
    // What a recorded run shows is no news of what was live before.
    if ((data.replay ?? '') !== (this.data?.replay ?? '')) {
      this.#rows = null;
      this.#changed.clear();
    }
    this.data = { ...data, at_ms: data.at_ms ?? this.data?.at_ms };
    if (typeof data.html !== 'string' || data.html === this.html) return [];
    this.html = data.html;
    this.number += 1;
    const template = document.createElement('template');
    template.innerHTML = data.html;
    this.content = template.content;
    for (const time of this.content.querySelectorAll('time[datetime]')) {
      const at = new Date(time.getAttribute('datetime'));
      if (!Number.isNaN(at.getTime())) time.textContent = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
    }
    const now = performance.now();
    const rows = new Map();
    const news = [];
    for (const row of this.content.querySelectorAll('[data-key]')) {
      const says = meaning(row.textContent, row.dataset.mark);
      rows.set(row.dataset.key, says);
      if (this.#rows && this.#rows.get(row.dataset.key) !== says) {
        this.#changed.set(row.dataset.key, now);
        news.push([...row.children].map((cell) => cell.textContent).filter(Boolean).join(' ') || row.textContent);
      }
    }
    for (const [key, at] of this.#changed) if (now - at > GLOW_MS || !rows.has(key)) this.#changed.delete(key);
    const first = this.#rows === null;
    this.#rows = rows;
    return first ? null : news;
  }

  /** Marks in a figure what changed not long ago, as far into its glow as it is. */
  glow(body) {
    const now = performance.now();
    for (const row of body.querySelectorAll('[data-key]')) {
      const since = now - (this.#changed.get(row.dataset.key) ?? -Infinity);
      if (since >= GLOW_MS) continue;
      row.classList.add('fd-glow');
      row.style.animationDelay = `-${Math.round(since)}ms`;
      setTimeout(() => { row.classList.remove('fd-glow'); row.style.animationDelay = ''; }, GLOW_MS - since);
    }
  }
}

/** The element of this class in a figure, made when missing. */
function part(figure, name, make) {
  const found = figure.querySelector(`:scope .${name}`);
  if (found) return found;
  const made = document.createElement(name === 'fd-panel-note' ? 'span' : 'div');
  made.className = name;
  make(made);
  return made;
}

/** Leaves a picture of what a panel showed on top of it, which goes away by and by: nothing flashes. */
function fade(body) {
  for (const old of body.querySelectorAll(':scope > .fd-fading')) old.remove();
  const old = body.firstElementChild.cloneNode(true);
  old.className = 'fd-fading';
  old.setAttribute('aria-hidden', 'true');
  old.inert = true;
  body.append(old);
  setTimeout(() => old.remove(), FADE_MS);
}

/** Shows in one figure what its panel shows. */
function fill(figure, panel) {
  if (figure.dataset.frame === String(panel.number)) return;
  const body = part(figure, 'fd-panel', (made) => {
    made.append(document.createElement('div'));
    figure.append(made);
  });
  const run = panel.data.replay ?? '';
  if (figure.dataset.live !== undefined && (figure.dataset.run ?? '') !== run) fade(body);
  figure.dataset.run = run;
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.choice : undefined;
  body.firstElementChild.replaceChildren(panel.content.cloneNode(true));
  figure.dataset.frame = String(panel.number);
  figure.dataset.live = '';
  if (focused !== undefined) body.querySelector(`[data-choice="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  panel.glow(body);
}

/** Says in the title bar how old the panel is and what time it shows; below it, to the speaker, what is wrong. */
function annotate(figure, { stale, at_ms: at, time, problem, replay }, speaks) {
  const caption = figure.querySelector(':scope > figcaption');
  if (!caption) return;
  const old = stale && at ? `last seen ${ageText(serverNow() - at)} ago` : '';
  const words = [replay ? `replay · ${replay}` : '', time, old].filter(Boolean).join(' · ');
  if (words || figure.querySelector('.fd-panel-note')) {
    const note = part(figure, 'fd-panel-note', (made) => caption.prepend(made));
    if (note.textContent !== words) note.textContent = words;
    note.classList.toggle('fd-old', Boolean(old));
    note.classList.toggle('fd-run', Boolean(replay));
  }
  const why = speaks && problem ? problem : '';
  if (why || figure.querySelector('.fd-panel-problem')) {
    const box = part(figure, 'fd-panel-problem', (made) => caption.after(made));
    if (box.textContent !== why) box.textContent = why;
    box.hidden = !why;
  }
  figure.toggleAttribute('data-stale', Boolean(stale && figure.hasAttribute('data-live')));
}

/** Keeps all figures of this page up to date. Returns { redraw() }, to be called when slides were replaced. */
export function installPanels({ deck, link, view, announce, toast, actions = {} }) {
  const panels = new Map();
  /** What was chosen here, by panel. */
  const votes = new Map();
  const speaks = view === 'presenter';
  let ticking = 0;
  let quietUntil = 0;

  const show = (figure) => {
    const panel = panels.get(figure.dataset.panelKey);
    if (!panel) return;
    if (panel.content) fill(figure, panel);
    const poll = figure.querySelector('.fd-choices');
    if (poll) forget(figure, poll);
    for (const button of figure.querySelectorAll('[data-choice]')) {
      button.setAttribute('aria-pressed', String(votes.get(figure.dataset.panelKey) === button.dataset.choice));
    }
    annotate(figure, panel.data, speaks);
  };

  /** Of a poll that was begun anew nothing was chosen here. */
  const forget = (figure, poll) => {
    const counts = [...poll.querySelectorAll('.fd-votes')].map((vote) => vote.textContent);
    const none = counts.length > 0 ? counts.every((count) => count === '0') : /^0\D/.test(figure.querySelector('.fd-more')?.textContent ?? '');
    if (none) votes.delete(figure.dataset.panelKey);
  };

  /** Room can only be measured on the slide that is shown; copies are drawn as their originals are. */
  const fit = () => {
    for (const root of [deck.current, document.querySelector('.fd-next-slide')]) {
      for (const figure of root?.querySelectorAll(`${FIGURES}[data-live]`) ?? []) fitPanel(figure);
    }
  };

  const redraw = () => {
    for (const figure of document.querySelectorAll(FIGURES)) show(figure);
    fit();
    tick();
  };

  /** Ages grow as long as a source is silent. */
  const tick = () => {
    clearTimeout(ticking);
    if (![...panels.values()].some((panel) => panel.data.stale)) return;
    ticking = setTimeout(() => {
      for (const figure of document.querySelectorAll(`${FIGURES}[data-stale]`)) show(figure);
      tick();
    }, 1000);
  };

  const say = (key, news) => {
    const figure = [...deck.current?.querySelectorAll(FIGURES) ?? []].find((found) => found.dataset.panelKey === key);
    const now = performance.now();
    if (!figure || news.length === 0 || now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    const title = figure.querySelector('figcaption')?.lastChild?.textContent ?? '';
    announce(`${title}: ${news.slice(0, 3).join('; ')}${news.length > 3 ? `; and ${news.length - 3} more` : ''}`);
  };

  const take = (data) => {
    const panel = panels.get(data.key) ?? new Panel();
    panels.set(data.key, panel);
    const news = panel.take(data);
    for (const figure of document.querySelectorAll(FIGURES)) {
      if (figure.dataset.panelKey !== data.key) continue;
      show(figure);
      if (deck.current?.contains(figure) || figure.closest('.fd-next-slide')) fitPanel(figure);
    }
    tick();
    if (news) say(data.key, news);
  };

  const vote = async (figure, choice) => {
    const key = figure.dataset.panelKey;
    if (link.closed) return toast('This vote is over.');
    try {
      await ask('/api/v1/poll', { key, choice: Number(choice) });
      votes.set(key, choice);
      redraw();
    } catch (error) {
      toast([error.message, error.hint].filter(Boolean).join(' '));
    }
    return undefined;
  };
  deck.root?.addEventListener('click', (event) => {
    const button = event.target.closest?.('.fd-panel [data-choice]');
    if (!button) return;
    event.stopPropagation();
    vote(button.closest(FIGURES), button.dataset.choice);
  });

  actions.results = () => {
    const key = deck.current?.querySelector(`${FIGURES} .fd-choices`)?.closest(FIGURES).dataset.panelKey;
    if (!key) return;
    const controls = panels.get(key)?.data.controls;
    // Only the speaker's windows are told what can be done.
    if (!controls) toast('That is for the speaker.');
    else ask('/api/v1/poll/control', { key, do: controls.hidden ? 'show' : 'hide' }).catch((error) => toast(error.message));
  };

  link.addEventListener('panel', ({ detail }) => take(detail));
  link.addEventListener('state', ({ detail }) => syncClock(detail.state));
  for (const data of link.panels?.values() ?? []) take(data);
  // The copy of the next slide is made after this one is shown.
  deck.addEventListener('show', () => { fit(); requestAnimationFrame(fit); });
  document.fonts?.ready.then(fit);
  return { redraw };
}
