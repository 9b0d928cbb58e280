// The speaker's runbook: what runs next, what should come of it, how the last run went, what to do when it fails.

import { active, since, took } from './steps.js';

const DEMO = { off: '', starting: 'Demo is starting…', ready: 'Demo is ready', failed: 'Demo has failed' };

/** Fills the elements of `root` that are named by `data-book`. `slide()` is the slide that is shown, from 0. */
export function installRunbook(root, { steps, link, slide }) {
  const part = (name) => root.querySelector(`[data-book="${name}"]`);
  let demo = null;
  const text = (name, words) => {
    const element = part(name);
    if (!element) return;
    element.hidden = !words;
    if (element.textContent !== words) element.textContent = words;
  };

  function draw() {
    const here = steps.of(slide());
    const step = here.find(active) ?? steps.next(slide());
    const fails = steps.data?.if_it_fails?.find((known) => known.slide === slide())?.text ?? '';
    const state = demo?.state === 'failed' ? `${DEMO.failed}: ${demo.reason}` : demo?.state === 'ready' ? `${DEMO.ready} (${demo.cluster})` : DEMO[demo?.state] ?? '';
    text('demo', state);
    part('demo').dataset.state = demo?.state ?? 'off';
    const trust = { untrusted: 'Not trusted: r shows all commands and asks', safe: 'Nothing is run: started with --safe' }[steps.data?.trust] ?? '';
    text('trust', step ? trust : '');
    const position = here.length > 1 && step ? ` (${here.indexOf(step) + 1} of ${here.length})` : '';
    text('title', step ? `${active(step) ? 'Running' : step.state === 'passed' ? 'Again' : 'Next'}: ${step.name}${position}` : '');
    text('command', step ? step.script : '');
    text('expects', step ? `Expected: ${step.expects}${step.terminal ? `, typed into ${step.terminal}` : ''}` : '');
    text('last', step ? times(step) : '');
    const shown = step && step.state !== 'ready' ? step : here.filter((known) => known.state !== 'ready').at(-1);
    text('reason', shown?.reason ? `${shown.name}: ${shown.reason}` : '');
    text('output', shown?.output ?? '');
    text('fails', fails ? `If it fails: ${fails}` : '');
    const marks = steps.data?.checkpoints ?? [];
    const mark = steps.markOf(slide()) ?? marks.at(-1);
    const all = marks.length > 1 ? ` (checkpoints: ${marks.map((known) => known.step).join(', ')})` : '';
    text('checkpoints', mark ? `u puts the demo back to before “${mark.step}”${all}` : '');
    const run = part('run');
    if (run) {
      run.hidden = !step || steps.data.trust === 'safe';
      run.textContent = step && active(step) ? 'Stop' : 'Run';
    }
    const undo = part('undo');
    if (undo) undo.hidden = marks.length === 0;
    root.hidden = !step && !state && !fails;
  }

  function times(step) {
    if (active(step)) return `${took(since(step, steps.skew))} of ${took(step.limit_ms)}`;
    const parts = [];
    if (step.took_ms !== null && step.state !== 'ready') parts.push(`took ${took(step.took_ms)}`);
    if (step.last_ms !== null) parts.push(`last good run ${took(step.last_ms)}`);
    return parts.join(', ');
  }

  steps.addEventListener('change', draw);
  const take = (data) => {
    if (!data) return;
    demo = data;
    draw();
  };
  link.addEventListener('demo', ({ detail }) => take(detail));
  demo = link.last?.demo ?? null;
  draw();
  return { draw };
}
