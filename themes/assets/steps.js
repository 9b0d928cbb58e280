// Runnable fences on slides: their states for everybody, buttons and keys for the speaker, agreement to commands.

import { clockText } from './timer.js';

/** Texts one after the other, each ending as a sentence does. */
const sentences = (...texts) => texts.filter(Boolean).map((text) => (/[.!?]$/.test(text) ? text : `${text}.`)).join(' ');

const WORDS = {
  ready: '', running: 'running', waiting: 'waiting', passed: 'done', failed: 'failed', 'timed-out': 'timed out', stopped: 'stopped',
};
const SIGNS = { running: '◐', waiting: '◔', passed: '✓', failed: '✗', 'timed-out': '✗', stopped: '■' };

/** Whether a step is at work. */
export const active = (step) => step.state === 'running' || step.state === 'waiting';

/** Milliseconds as people read them: `0.4 s`, `12 s`, `1:05`. */
export function took(ms) {
  if (ms < 10_000) return `${(Math.round(ms / 100) / 10).toFixed(1)} s`;
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : clockText(ms);
}

/** How long a step has run; `skew` is the server's clock minus ours. */
export function since(step, skew) {
  return Math.max(0, Date.now() + skew - step.started_ms);
}

/** Sends a command of the speaker; gives the answer, or throws what the server says. */
export async function ask(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.error ?? `The server answered ${answer.status}.`), { status: answer.status, hint: said.hint ?? '' });
  return said;
}

/** What the server tells of a deck's steps, kept. Emits `change`. */
export class Steps extends EventTarget {
  data = null;
  skew = 0;
  #ticking = 0;

  constructor(link, deck) {
    super();
    this.deck = deck;
    const take = (data) => {
      if (!data || data.deck !== this.deck) return;
      this.data = data;
      this.skew = data.now_ms - Date.now();
      this.#tick();
    };
    link.addEventListener('step', ({ detail }) => take(detail));
    take(link.last?.step);
  }

  /** Another deck is shown now. */
  follow(deck) {
    if (deck === this.deck) return;
    this.deck = deck;
    this.data = null;
    this.#tick();
  }

  /** Steps of a slide, in order. */
  of(slide) {
    return this.data?.steps.filter((step) => step.slide === slide) ?? [];
  }

  /** The step that runs next on a slide: as the server chooses it. */
  next(slide) {
    const steps = this.of(slide);
    return steps.find((step) => step.state !== 'passed') ?? steps[0] ?? null;
  }

  /**
   * The checkpoint that puts the demo back to how it was on a slide: that of its own first step, else the oldest of those
   * that steps of later slides have made since.
   */
  markOf(slide) {
    const marks = this.data?.checkpoints?.filter((mark) => mark.deck === this.deck) ?? [];
    const slides = new Map(this.data?.steps.map((step) => [step.name, step.slide]) ?? []);
    return marks.find((mark) => slides.get(mark.step) === slide) ?? marks.find((mark) => slides.get(mark.step) > slide) ?? null;
  }

  #tick() {
    clearTimeout(this.#ticking);
    this.dispatchEvent(new Event('change'));
    // Elapsed times move only while something is at work.
    if (this.data?.steps.some(active)) this.#ticking = setTimeout(() => this.#tick(), 200);
  }
}

/** Writes state and time into an element that has `.fd-step-state`. */
export function show(bar, step, skew) {
  bar.dataset.state = step.state;
  const time = active(step) && step.started_ms ? took(since(step, skew)) : step.took_ms !== null && step.state !== 'ready' ? took(step.took_ms) : '';
  const code = step.exit ? ` (exit code ${step.exit})` : '';
  const words = [SIGNS[step.state], WORDS[step.state] && `${WORDS[step.state]}${code}`, time].filter(Boolean).join(' ');
  const state = bar.querySelector('.fd-step-state');
  if (state.textContent !== words) state.textContent = words;
}

export function makeBar(name, speaks, run) {
  const bar = document.createElement('div');
  bar.className = 'fd-step';
  const state = document.createElement('span');
  state.className = 'fd-step-state';
  if (speaks) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'fd-step-run';
    button.addEventListener('click', (event) => { event.stopPropagation(); run(name); });
    const note = document.createElement('span');
    note.className = 'fd-step-note';
    bar.append(button, state, note);
  } else bar.append(state);
  return bar;
}

/** The dialog that shows all commands of a deck; resolves to whether the speaker agreed. */
async function agree(deck, toast) {
  const box = document.getElementById('fd-trust');
  const answer = await fetch(`/api/v1/trust?deck=${encodeURIComponent(deck)}`, { cache: 'no-store' });
  if (!answer.ok) {
    toast('The commands of this deck could not be read.');
    return false;
  }
  const { hash, commands } = await answer.json();
  const list = box.querySelector('ol');
  list.replaceChildren(...commands.map((command) => {
    const item = document.createElement('li');
    const head = document.createElement('p');
    head.textContent = `Slide ${command.slide + 1} · ${command.kind} ${command.name}${command.terminal ? ` · typed into ${command.terminal}` : ''}`;
    const code = document.createElement('pre');
    code.textContent = command.script.trimEnd();
    item.append(head, code);
    return item;
  }));
  box.querySelector('[data-count]').textContent = commands.length === 1 ? 'This command' : `These ${commands.length} commands`;
  const yes = box.querySelector('[data-agree]');
  box.querySelector('[data-no]').onclick = () => box.close();
  return new Promise((resolve) => {
    let agreed = false;
    const accept = async () => {
      try {
        await ask('/api/v1/trust', { deck, hash });
        agreed = true;
      } catch (error) {
        toast(error.message);
      }
      box.close();
    };
    yes.addEventListener('click', accept);
    box.addEventListener('close', () => {
      yes.removeEventListener('click', accept);
      resolve(agreed);
    }, { once: true });
    box.showModal();
    // Nobody agrees by pressing Enter once too often.
    box.querySelector('[data-no]').focus();
  });
}

/** Puts bars under the runnable fences, and gives the actions of the keys. */
export function installSteps(app) {
  const { deck, boot, link, toast, announce } = app;
  const steps = new Steps(link, boot.deck);
  const speaks = boot.role === 'presenter' && !boot.follow;
  let spoken = '';

  async function run(name) {
    if (!speaks) return toast('That is for the speaker.');
    if (!steps.data) return toast('There is nothing to run in this deck.');
    // What was recorded is only shown again: nobody has to agree to it.
    if (link.last?.replay?.on) return start(name);
    if (steps.data.trust === 'safe') return toast('Nothing is run: foredeck was started with --safe.');
    if (steps.data.trust === 'untrusted' && !await agree(boot.deck, toast)) return undefined;
    return start(name);
  }

  async function start(name) {
    try {
      await ask('/api/v1/steps/run', { deck: boot.deck, slide: deck.index, ...(name ? { name } : {}) });
    } catch (error) {
      toast(sentences(error.message, error.hint));
    }
    return undefined;
  }

  async function cancel() {
    await ask('/api/v1/steps/cancel', {}).catch((error) => toast(error.message));
  }

  /** Puts cluster and repository back: to a step's checkpoint, or to the last one. */
  async function restore(name) {
    const marks = steps.data?.checkpoints ?? [];
    const mark = name ? marks.find((known) => known.deck === boot.deck && known.step === name) : marks.at(-1);
    const { state, cluster, ours } = link.last?.demo ?? {};
    if (state === 'ready' && ours === false) return toast(`The cluster “${cluster}” was not made by foredeck, so nothing in it is put back.`);
    if (!mark) return toast('There is no checkpoint to go back to.');
    // A run has nothing that could be lost.
    const alone = Boolean(link.last?.replay?.always);
    if (!alone && !await confirmed(`Put cluster and repository back to before “${mark.step}”?`)) return undefined;
    try {
      await ask('/api/v1/checkpoints/restore', { deck: mark.deck, name: mark.step });
      toast(`Back to before “${mark.step}”.`);
    } catch (error) {
      toast(sentences(error.message, error.hint));
    }
    return undefined;
  }

  function confirmed(question) {
    const box = document.getElementById('fd-confirm');
    box.querySelector('h2').textContent = question;
    box.returnValue = '';
    box.showModal();
    return new Promise((resolve) => {
      box.addEventListener('close', () => resolve(box.returnValue === 'yes'), { once: true });
    });
  }

  function draw() {
    for (const holder of document.querySelectorAll('#deck .foredeck-step[data-step]')) {
      const step = steps.data?.steps.find((known) => known.name === holder.dataset.step);
      let bar = holder.querySelector(':scope > .fd-step');
      if (!step) {
        bar?.remove();
        continue;
      }
      if (!bar) {
        bar = makeBar(step.name, speaks, (name) => (active(steps.data.steps.find((known) => known.name === name)) ? cancel() : run(name)));
        holder.append(bar);
      }
      show(bar, step, steps.skew);
      if (speaks) control(bar, step);
    }
    say();
  }

  function control(bar, step) {
    const button = bar.querySelector('.fd-step-run');
    const again = step.state === 'passed';
    const words = active(step) ? 'Stop' : again ? 'Again' : 'Run';
    if (button.textContent !== words) button.textContent = words;
    button.setAttribute('aria-label', `${words}: ${step.name}`);
    const { trust } = steps.data;
    const replayed = Boolean(link.last?.replay?.on);
    button.hidden = trust === 'safe' && !replayed;
    const note = bar.querySelector('.fd-step-note');
    note.textContent = replayed ? '' : trust === 'untrusted' ? 'not trusted: press r to read its commands and agree' : trust === 'safe' ? 'not run: --safe' : '';
  }

  /** Screen readers hear what changed on this slide. */
  function say() {
    const words = steps.of(deck.index).filter((step) => step.state !== 'ready').map((step) => `${step.name}: ${WORDS[step.state]}`).join(', ');
    if (words && words !== spoken) announce(words);
    spoken = words;
  }

  steps.addEventListener('change', draw);
  deck.addEventListener('change', ({ detail }) => {
    spoken = steps.of(deck.index).map((step) => `${step.name}: ${WORDS[step.state]}`).join(', ');
    offer(detail);
  });

  /** Back on a slide whose step ran after a checkpoint: the way back is one key away. */
  function offer({ index, from, cause }) {
    if (!speaks || !from || cause === 'start' || index >= from.index) return;
    const mark = steps.markOf(index);
    if (mark) toast(`Press u to put the demo back to how it was on this slide: before “${mark.step}”.`);
  }

  Object.assign(app.actions, {
    run: () => {
      if (speaks) run();
    },
    undo: () => {
      if (!speaks) return;
      restore(steps.markOf(deck.index)?.step);
    },
  });
  draw();
  return { steps, run, cancel, restore, redraw: draw };
}
