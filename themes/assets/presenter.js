// The presenter view: current slide, what comes next, notes, plan, clock, timer, connection.

import { copySlide } from './deck.js';
import { showNotes } from './notes.js';
import { PlanView, clockText, elapsed, planned, syncClock } from './timer.js';

const remember = {
  get(key, fallback) {
    try {
      return Number(localStorage.getItem(`foredeck-${key}`) ?? fallback);
    } catch {
      return fallback;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`foredeck-${key}`, String(value));
    } catch {
      // Private windows may refuse; the setting then lasts as long as the window.
    }
  },
};

function installSplitter(panel) {
  const bar = panel.querySelector('[role="separator"]');
  const root = document.documentElement;
  const set = (percent) => {
    const at = Math.min(Math.max(percent, 30), 85);
    root.style.setProperty('--fd-split', `${at}%`);
    bar.setAttribute('aria-valuenow', String(Math.round(at)));
    remember.set('split', at);
    window.dispatchEvent(new Event('resize'));
    return at;
  };
  let at = set(remember.get('split', 62) || 62);
  bar.addEventListener('pointerdown', (event) => {
    bar.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  bar.addEventListener('pointermove', (event) => {
    if (bar.hasPointerCapture(event.pointerId)) at = set((event.clientX / window.innerWidth) * 100);
  });
  bar.addEventListener('dblclick', () => { at = set(62); });
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    at = set(at + step);
  });
}

function installNotes(panel, { deck, boot }) {
  const notes = panel.querySelector('.fd-notes');
  const empty = panel.querySelector('.fd-notes-empty');
  let size = remember.get('notes-size', 0) || 0;
  const resize = (by) => {
    size = Math.min(Math.max(size + by, -5), 12);
    remember.set('notes-size', size);
    notes.style.fontSize = `${1.2 ** size}em`;
  };
  const draw = () => {
    const html = boot.notes_html?.[deck.index] ?? '';
    empty.hidden = html.trim() !== '';
    empty.textContent = boot.notes_html ? 'No notes for this slide.' : 'This file was exported without notes.';
    showNotes(notes, html);
  };
  notes.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 60, ArrowUp: -60 }[event.key];
    if (!by || notes.scrollHeight <= notes.clientHeight) return;
    notes.scrollTop += by;
    event.preventDefault();
    event.stopPropagation();
  });
  panel.querySelector('[data-do="notesBigger"]').addEventListener('click', () => resize(1));
  panel.querySelector('[data-do="notesSmaller"]').addEventListener('click', () => resize(-1));
  resize(0);
  return { draw, resize };
}

/** A copy of the next step: the same slide with one more fragment, or the next slide. */
function installNext(panel, { deck, boot, actions }) {
  const frame = panel.querySelector('.fd-next-slide');
  const label = panel.querySelector('.fd-next-label');
  let shown = '';
  frame.style.aspectRatio = `${boot.size.width} / ${boot.size.height}`;
  frame.addEventListener('click', () => actions.next({}));
  const draw = (force = false) => {
    const to = deck.following();
    const key = to ? `${to.index}.${to.fragment}` : 'end';
    if (key === shown && !force) return;
    shown = key;
    if (!to) {
      frame.querySelector('.marpit')?.remove();
      frame.disabled = true;
      label.textContent = 'End of the deck';
      return;
    }
    frame.disabled = false;
    const holder = document.createElement('div');
    holder.className = 'marpit';
    holder.inert = true;
    holder.append(copySlide(deck.slides[to.index], to.fragment));
    holder.ariaHidden = 'true';
    frame.querySelector('.marpit')?.remove();
    frame.append(holder);
    label.textContent = to.index === deck.index ? `Next: step ${to.fragment} of ${deck.fragments()}` : `Next: ${boot.titles?.[to.index] || `slide ${to.index + 1}`}`;
  };
  return { draw };
}

function installTimes(panel, { deck, boot, link }) {
  const clock = panel.querySelector('.fd-clock');
  const timer = panel.querySelector('.fd-timer');
  const delta = panel.querySelector('.fd-delta');
  const start = panel.querySelector('[data-do="timer"]');
  const wall = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const plan = new PlanView(panel.querySelector('.fd-plan'), {
    plan: boot.plan, name: boot.deck, go: (slide) => deck.go(slide, 0),
  });
  const draw = () => {
    const state = link.state;
    const ms = elapsed(state?.timer);
    const running = Boolean(state?.timer?.running);
    clock.textContent = wall.format(new Date());
    timer.textContent = clockText(ms);
    timer.dataset.running = String(running);
    start.textContent = running ? 'Stop' : 'Start';
    start.setAttribute('aria-label', running ? 'Stop the timer' : 'Start the timer');
    plan.tick(ms, deck.index);
    const due = planned(plan.plan, deck.index, deck.count);
    if (due === null || ms === 0) delta.textContent = '';
    else {
      const late = ms - due;
      delta.textContent = Math.abs(late) < 30_000 ? 'on time' : `${clockText(late)} ${late > 0 ? 'behind' : 'ahead'}`;
      delta.dataset.late = String(late > 60_000);
    }
  };
  const beat = () => {
    draw();
    setTimeout(beat, 1000 - (Date.now() % 1000));
  };
  beat();
  panel.querySelector('[data-do="timerReset"]').addEventListener('click', () => link.send({ do: 'timer', to: 'reset' }));
  link.addEventListener('state', ({ detail }) => { syncClock(detail.state); draw(); });
  return { draw, plan };
}

function installStatus(panel, { boot, link }) {
  const status = panel.querySelector('.fd-status');
  const screen = panel.querySelector('.fd-screen-state');
  const words = { open: 'Connected', connecting: 'Connecting…', lost: 'Connection lost, trying again…', refused: 'Not the presenter any more: open the link from the terminal', resting: 'Paused' };
  const draw = () => {
    status.dataset.status = link.status;
    status.textContent = boot.mode === 'file' ? 'Local windows' : words[link.status] ?? link.status;
    const state = link.state;
    const parts = [];
    if (state?.freeze) parts.push('frozen');
    if (state && state.screen && state.screen !== 'live') parts.push({ black: 'black', white: 'white', qr: 'the QR code' }[state.screen] ?? state.screen);
    if (state?.zoom) parts.push('zoomed');
    if (state && state.deck !== boot.deck) parts.push(state.deck);
    screen.hidden = parts.length === 0;
    screen.textContent = `Room: ${parts.join(', ')}`;
    screen.title = `What the audience sees: ${parts.join(', ')}`;
  };
  link.addEventListener('status', draw);
  link.addEventListener('state', draw);
  draw();
}

/** Builds the view around the stage. Returns { notes, redraw() }. */
export function installPresenter(app) {
  const { deck, boot, actions } = app;
  document.documentElement.style.setProperty('--fd-ratio', `${boot.size.width} / ${boot.size.height}`);
  const part = document.getElementById('fd-presenter-template').content.cloneNode(true);
  document.body.append(part);
  const panel = document.getElementById('fd-presenter');
  installSplitter(panel);
  const notes = installNotes(panel, app);
  const next = installNext(panel, app);
  const times = installTimes(panel, app);
  installStatus(panel, app);
  for (const button of panel.querySelectorAll('.fd-bar [data-do]')) {
    const name = button.dataset.do;
    if (name !== 'timerReset') button.addEventListener('click', (event) => actions[name]?.({ shiftKey: event.shiftKey }));
  }
  const page = panel.querySelector('.fd-page');
  const draw = () => {
    notes.draw();
    next.draw();
    times.draw();
    page.textContent = `${deck.index + 1} / ${deck.count}`;
    panel.querySelector('[data-do="previous"]').disabled = deck.atStart;
    panel.querySelector('[data-do="next"]').disabled = deck.atEnd;
  };
  deck.addEventListener('change', draw);
  draw();
  document.title = `[Presenter view] ${document.title}`;
  return {
    resizeNotes: notes.resize,
    redraw() {
      times.plan.set(boot.plan);
      next.draw(true);
      draw();
    },
  };
}
