// The speaker's phone: shows notes and the slide, sends what the buttons say.

import { ServerLink } from './live.js';
import { clockText, elapsed, syncClock } from './timer.js';
import { installWakeLock } from './controller.js';
import { showNotes } from './notes.js';
import { deckPath } from './url.js';
import { installClockLabel } from './clock.js';
import { installRunbook } from './runbook.js';
import { Steps, active, ask } from './steps.js';
import { share } from './zoom.js';

const $ = (id) => document.getElementById(id);
const boot = JSON.parse($('foredeck-boot').textContent);
const link = new ServerLink({ deck: boot.deck, drive: true, resting: false });
const steps = new Steps(link, boot.deck);
const book = installRunbook(document.querySelector('.fd-book'), { steps, link, slide: () => link.state?.slide ?? 0 });
installClockLabel(link, $('fd-virtual'));
const frame = $('fd-slide');
const pad = $('fd-pad');
let data = null;
let loaded = '';
let laser = false;
let size = 18;

/** Notes and titles of the deck that is on now. */
async function load(state) {
  const key = `${state.deck}@${state.deck_version}`;
  if (key === loaded) return;
  const otherDeck = !loaded.startsWith(`${state.deck}@`);
  loaded = key;
  try {
    const answer = await fetch(`${deckPath(state.deck)}slides.json`, { cache: 'no-cache' });
    if (!answer.ok) throw new Error(String(answer.status));
    data = await answer.json();
    pad.style.aspectRatio = `${data.size.width} / ${data.size.height}`;
  } catch {
    loaded = '';
  }
  if (otherDeck || data) frame.src = `${deckPath(state.deck)}?view=next&f=${state.fragment}#${state.slide + 1}`;
  draw();
}

function showSlide(state) {
  frame.contentWindow?.postMessage(`navigate:${state.slide},${state.fragment}`, location.origin);
}
frame.addEventListener('load', () => link.state && showSlide(link.state));

function draw() {
  const { state } = link;
  if (!state) return;
  const html = data?.notes_html?.[state.slide] ?? '';
  showNotes($('fd-notes'), html, '<p>No notes for this slide.</p>');
  const count = data?.slides?.length ?? 0;
  const steps = data?.fragments?.[state.slide] ?? 0;
  $('fd-title').textContent = data?.titles?.[state.slide] || `Slide ${state.slide + 1}`;
  $('fd-page').textContent = `${state.slide + 1} / ${count || '…'}${steps ? ` · step ${state.fragment} of ${steps}` : ''}`;
  const more = state.fragment < steps ? `step ${state.fragment + 1} of ${steps}` : data?.titles?.[state.slide + 1] ?? (state.slide + 1 < count ? `slide ${state.slide + 2}` : 'end of the deck');
  $('fd-next').textContent = `Next: ${more}`;
  document.querySelector('[data-do="black"]').setAttribute('aria-pressed', String(state.screen === 'black'));
  document.querySelector('[data-do="freeze"]').setAttribute('aria-pressed', String(Boolean(state.freeze)));
  const screen = $('fd-screen');
  const words = { black: 'Screen is black', white: 'Screen is white', qr: 'QR code is shown' };
  screen.hidden = !words[state.screen] && !state.freeze;
  screen.textContent = words[state.screen] ?? (state.freeze ? 'Audience is frozen' : '');
  tick();
}

function tick() {
  const timer = link.state?.timer;
  $('fd-timer').lastElementChild.textContent = clockText(elapsed(timer));
  $('fd-timer').dataset.running = String(Boolean(timer?.running));
  $('fd-clock').textContent = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

link.addEventListener('state', ({ detail: { state } }) => {
  syncClock(state);
  load(state);
  showSlide(state);
  link.retarget(state.deck);
  steps.follow(state.deck);
  book.draw();
  drawSteps();
  draw();
});
link.addEventListener('reload', () => link.state && load(link.state));
link.addEventListener('status', ({ detail }) => {
  const words = { open: boot.title || 'Connected', lost: 'Connection lost, trying again…', connecting: 'Connecting…', refused: 'No longer allowed: open the link again' };
  $('fd-status').textContent = words[detail] ?? detail;
  $('fd-status').dataset.status = detail;
});

/** What can be run now, with large buttons. */
function drawSteps() {
  const here = steps.of(link.state?.slide ?? 0);
  const step = here.find(active) ?? steps.next(link.state?.slide ?? 0);
  document.querySelector('.fd-steps').hidden = !step || steps.data?.trust !== 'trusted';
  if (step) document.querySelector('[data-do="run"]').textContent = `${active(step) ? 'Stop' : step.state === 'passed' ? 'Again' : 'Run'}: ${step.name}`;
  const marks = steps.data?.checkpoints ?? [];
  document.querySelector('[data-do="undo"]').hidden = marks.length === 0;
}
steps.addEventListener('change', drawSteps);

function say(error) {
  $('fd-next').textContent = [error.message, error.hint].filter(Boolean).join(' ');
}

/** A thumb slips easily: going back asks for a second press. */
let sure = 0;
function undo() {
  const button = document.querySelector('[data-do="undo"]');
  if (!sure) {
    button.textContent = 'Sure?';
    sure = setTimeout(() => { sure = 0; button.textContent = 'Back'; }, 3000);
    return;
  }
  clearTimeout(sure);
  sure = 0;
  button.textContent = 'Back';
  const mark = steps.markOf(link.state?.slide ?? 0);
  ask('/api/v1/checkpoints/restore', mark ? { deck: mark.deck, name: mark.step } : {}).catch(say);
}

const actions = {
  run: () => {
    const step = steps.of(link.state.slide).find(active);
    if (step) ask('/api/v1/steps/cancel', {}).catch(say);
    else ask('/api/v1/steps/run', { deck: link.state.deck, slide: link.state.slide }).catch(say);
  },
  undo,
  next: () => link.send({ do: 'next' }),
  previous: () => link.send({ do: 'previous' }),
  black: () => link.send({ do: 'screen', to: link.state?.screen === 'black' ? 'live' : 'black' }),
  freeze: () => link.send({ do: 'freeze', on: !link.state?.freeze }),
  laser: () => {
    laser = !laser;
    pad.dataset.laser = laser ? 'on' : 'off';
    document.querySelector('[data-do="laser"]').setAttribute('aria-pressed', String(laser));
    if (!laser) point(null);
  },
  smaller: () => scale(1 / 1.15),
  larger: () => scale(1.15),
};

function scale(by) {
  size = Math.min(Math.max(size * by, 12), 44);
  $('fd-notes').style.fontSize = `${size}px`;
}

let waiting = 0;
let at = null;
function point(to) {
  at = to;
  const spot = $('fd-spot');
  spot.hidden = !to;
  if (to) {
    spot.style.left = `${to.x * 100}%`;
    spot.style.top = `${to.y * 100}%`;
  }
  if (!to) link.send({ do: 'laser', to: null });
  else waiting ||= setTimeout(() => {
    waiting = 0;
    if (at) link.send({ do: 'laser', to: at });
  }, 33);
}

pad.addEventListener('pointerdown', (event) => {
  if (!laser) return;
  pad.setPointerCapture(event.pointerId);
  point(share(event, pad.getBoundingClientRect()));
});
pad.addEventListener('pointermove', (event) => laser && pad.hasPointerCapture(event.pointerId) && point(share(event, pad.getBoundingClientRect())));
for (const end of ['pointerup', 'pointercancel']) pad.addEventListener(end, () => laser && point(null));

for (const button of document.querySelectorAll('nav [data-do]')) button.addEventListener('click', () => actions[button.dataset.do]());
$('fd-timer').addEventListener('click', () => link.send({ do: 'timer', to: link.state?.timer?.running ? 'stop' : 'start' }));
window.addEventListener('keydown', (event) => {
  const act = { ArrowRight: 'next', PageDown: 'next', ArrowLeft: 'previous', PageUp: 'previous', b: 'black', '.': 'black', r: 'run' }[event.key];
  if (!act || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  actions[act]();
});

setInterval(tick, 1000);
installWakeLock();
link.start();
