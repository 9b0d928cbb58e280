// The workshop: runs commands, looks at the checks while the page is visible, and says what is missing.

import { installDock, installNotes } from './workshop-dock.js';

const page = document.body.dataset.page;
const step = document.body.dataset.step;
const may = document.body.dataset.may === 'yes';
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

async function ask(path, wish) {
  const options = wish === undefined ? {} : {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wish),
  };
  const response = await fetch(`/api/v1/workshop${path}`, { cache: 'no-store', ...options }).catch(() => {
    throw new Error('The server does not answer.');
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const text = [answer.error ?? `The server answers with ${response.status}.`, answer.hint].filter(Boolean).join('\n');
    throw Object.assign(new Error(text), { status: response.status });
  }
  return answer;
}

function problem(text) {
  const place = one('[data-problem]');
  place.textContent = text ?? '';
  place.hidden = !text;
}

/* ---- the list ---- */

async function list() {
  const status = await ask('');
  one('[data-passed]').textContent = status.passed;
  one('progress').value = status.passed;
  problem(status.problem);
  for (const known of status.steps) {
    const item = one(`[data-step="${CSS.escape(known.id)}"]`);
    if (!item) continue;
    item.dataset.state = known.state;
    one('[data-says]', item).textContent = { passed: 'done', 'in-progress': 'in progress' }[known.state] ?? '';
  }
}

/** A speaker who has read the commands of the workshop beside their decks. */
function installAgreement() {
  const asked = one('[data-agree]');
  asked?.querySelector('button').addEventListener('click', async () => {
    const wish = { deck: '/w/', hash: asked.dataset.hash };
    const response = await fetch('/api/v1/trust', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wish),
    }).catch(() => null);
    if (response?.ok) location.reload();
    else problem((await response?.json().catch(() => null))?.error ?? 'The server does not answer.');
  });
}

/* ---- a step ---- */

let nextLook = null;
let passed = false;
let busy = 0;

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Buttons that need the sandbox say so until it works; they can be reached, and read out, all the same. */
let works = document.body.dataset.ready !== 'no';

function ready(now, why = '') {
  works = now;
  document.body.dataset.ready = now ? 'yes' : 'no';
  for (const button of all('.fd-command [data-run], [data-solve], [data-do]')) {
    if (now) {
      button.removeAttribute('aria-disabled');
      button.removeAttribute('aria-describedby');
    } else {
      button.setAttribute('aria-disabled', 'true');
      button.setAttribute('aria-describedby', 'starting');
    }
  }
  const place = one('#starting');
  set(place, why || place.textContent);
  place.hidden = now;
}

function show(report) {
  ready(true);
  report.checks.forEach((check, index) => {
    const item = one(`[data-check="${index}"]`);
    if (!item) return;
    item.dataset.verdict = check.verdict;
    set(one('[data-why]', item), check.why);
    set(one('[data-next]', item), check.next ?? '');
  });
  const open = report.checks.filter((check) => check.verdict !== 'pass');
  const wrong = open.find((check) => check.verdict === 'fail');
  const summary = one('[data-summary]');
  summary.dataset.passed = report.passed ? 'yes' : 'no';
  // Read aloud only when it changes; numbers that count down are left to the eye.
  if (report.passed) set(summary, 'Done: all checks hold.');
  else if (wrong) set(summary, `Wrong: ${wrong.why}`);
  else if (open.length > 0) set(summary, `Not yet: ${open[0].title}`);
  passed = report.passed;
  nextLook = report.next_seconds === null ? null : Date.now() + report.next_seconds * 1000;
  if (report.progress.state === 'passed') one('a[rel="next"]')?.classList.add('fd-primary');
}

function countDown() {
  const left = nextLook === null ? null : Math.max(0, Math.round((nextLook - Date.now()) / 1000));
  set(one('[data-countdown]'), left === null || passed ? '' : `Flux looks at the repository again in ${left} s.`);
}

async function check() {
  show(await ask(`/${step}`));
  problem();
}

// One look at a time; the next one waits a moment, longer when nothing changes.
let wait = 1000;
let timer = 0;
let last = '';
let lost = false;

async function look() {
  clearTimeout(timer);
  if (document.visibilityState !== 'visible') return;
  if (busy === 0) {
    try {
      const report = await ask(`/${step}`);
      if (lost) problem();
      lost = false;
      show(report);
      const now = JSON.stringify(report.checks);
      wait = now === last ? Math.min(wait * 1.5, 8000) : 1000;
      last = now;
    } catch (error) {
      // A sandbox is there in a moment; a server that is away may take longer.
      const starting = error.status === 503;
      const away = error.status === undefined;
      lost ||= away;
      if (starting || away) ready(false, starting ? error.message : 'The server does not answer; trying again.');
      set(one('[data-summary]'), starting || away ? '' : error.message.split('\n')[0]);
      wait = starting ? 700 : Math.min(wait * 2, away ? 3000 : 8000);
    }
  }
  timer = setTimeout(look, wait);
}

function soon() {
  wait = 500;
  clearTimeout(timer);
  timer = setTimeout(look, 150);
}

async function act(button, work) {
  if (busy > 0) return;
  busy += 1;
  button?.setAttribute('aria-busy', 'true');
  const buttons = all('button:not([data-copy])');
  buttons.forEach((other) => { other.disabled = true; });
  problem();
  try {
    await work();
  } catch (error) {
    problem(error.message);
  } finally {
    busy -= 1;
    buttons.forEach((other) => { other.disabled = false; });
    button?.removeAttribute('aria-busy');
    button?.focus({ preventScroll: true });
    soon();
  }
}

const ran = new Set();

let dock = { type: () => false };

function run(button) {
  const figure = button.closest('figure');
  // In a terminal the learner sees what they would have typed; without one its output stands below the command.
  if (dock.type(one('code', figure).textContent)) {
    ran.add(button.dataset.run);
    set(one('[data-summary]'), `Typed ${button.dataset.run} into your terminal.`);
    soon();
    return null;
  }
  const output = one('[data-output]', figure);
  return act(button, async () => {
    output.hidden = false;
    output.textContent = '…';
    const answer = await ask(`/${step}/run`, { name: button.dataset.run }).catch((error) => {
      output.hidden = true;
      throw error;
    });
    output.dataset.ok = answer.ok ? 'yes' : 'no';
    output.textContent = [answer.output, answer.stopped].filter(Boolean).join('\n') || '(no output)';
    ran.add(button.dataset.run);
  });
}

async function copy(button) {
  await navigator.clipboard.writeText(one('code', button.closest('figure')).textContent);
  const before = button.textContent;
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = before; }, 1200);
}

function hint(button) {
  return act(button, async () => {
    const answer = await ask(`/${step}/hint`, {});
    const fold = all('details[data-fold="hint"]')[answer.number - 1];
    if (!fold) return;
    fold.dataset.told = 'yes';
    fold.open = true;
    one('summary', fold).focus();
    fold.scrollIntoView({ block: 'nearest' });
  });
}

const doing = {
  check: (button) => act(button, check),
  start: (button) => act(button, async () => {
    const answer = await ask(`/${step}/start`, {});
    set(one('[data-summary]'), answer.moves.length === 0 ? 'Everything this step needs is there.'
      : answer.moves.map((move) => move.text).join('; '));
  }),
  hint,
  reset: (button) => act(button, async () => {
    await ask(`/${step}/reset`, {});
    await ask(`/${step}/start`, {});
    ran.clear();
    all('[data-output]').forEach((output) => { output.hidden = true; });
  }),
};

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, [contenteditable]')) return;
  const next = () => all('.fd-command [data-run]').find((button) => !ran.has(button.dataset.run));
  const does = {
    r: () => { const button = works && busy === 0 && next(); if (button) run(button); },
    c: () => one('[data-do="check"]')?.click(),
    n: () => one('a[rel="next"]')?.click(),
    p: () => one('a[rel="prev"]')?.click(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

if (page === 'list') {
  installAgreement();
  const again = () => { if (document.visibilityState === 'visible') list().catch(() => {}); };
  setInterval(again, 3000);
  document.addEventListener('visibilitychange', again);
} else {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button || button.ariaDisabled === 'true') return;
    if (button.matches('[data-copy]')) copy(button).catch(() => problem('The browser does not let the page copy; select the text instead.'));
    else if (button.matches('.fd-command [data-run]')) run(button);
    else if (button.matches('[data-solve]')) act(button, async () => show(await ask(`/${step}/solve`, {})));
    else doing[button.dataset.do]?.(button);
  });
  window.addEventListener('keydown', keys);
  dock = installDock(document.body.dataset.slug);
  if (may) {
    // A hint that is opened by hand counts as one that was given.
    all('details[data-fold="hint"]').forEach((fold) => fold.addEventListener('toggle', () => {
      if (fold.open && !fold.dataset.told && busy === 0) {
        fold.dataset.told = 'yes';
        ask(`/${step}/hint`, {}).catch(() => { delete fold.dataset.told; });
      }
    }));
    document.addEventListener('visibilitychange', look);
    setInterval(countDown, 1000);
    look();
  }
}
installNotes();
