// The speaker's buttons for the release that a `canary` panel of this slide shows: promote, hold, roll back, faults.

import { ask } from './steps.js';

const KIND = 'canary';
const WORD = /(\w+)=("(?:[^"\\]|\\.)*")/g;
const FIGURE = 'figure.foredeck-panel[data-panel-key]';

/** Which release a panel shows, by its key; nothing when it shows something else. */
export function released(key) {
  const [kind] = key.split(' ');
  if (kind !== KIND) return null;
  const options = {};
  for (const [, name, value] of key.matchAll(WORD)) {
    try {
      options[name] = JSON.parse(value);
    } catch {
      // No name of an object has letters that are written otherwise here than in JSON.
    }
  }
  return { namespace: options.namespace ?? 'demo', ...(options.name ? { name: options.name } : {}) };
}

/** Keeps the buttons in `root` for the slide that is shown. Returns { draw() }, to be called when it may be another. */
export function installRelease(root, { deck, link, toast }) {
  const hold = root.querySelector('[data-release="hold"]');
  const [failing, latency] = ['failing', 'latency'].map((name) => root.querySelector(`[data-fault="${name}"]`));
  const shown = () => [...deck.current?.querySelectorAll(FIGURE) ?? []].find((figure) => released(figure.dataset.panelKey));
  const isHeld = () => /hold/.test(shown()?.querySelector('[data-key="fact speaker"] dd')?.textContent ?? '');

  const send = async (what) => {
    const figure = shown();
    if (!figure) return;
    try {
      await ask('/api/v1/canary', { ...released(figure.dataset.panelKey), ...what });
    } catch (error) {
      toast([error.message, error.hint].filter(Boolean).join(' '));
    }
  };
  const label = () => {
    failing.nextElementSibling.textContent = `${failing.value} %`;
    latency.nextElementSibling.textContent = `${latency.value} ms`;
    failing.setAttribute('aria-valuetext', `${failing.value} percent fail`);
    latency.setAttribute('aria-valuetext', `${latency.value} milliseconds`);
  };
  const faults = () => {
    label();
    return send({ faults: { success: 100 - Number(failing.value), latency_ms: Number(latency.value) } });
  };
  for (const button of root.querySelectorAll('[data-release]')) {
    button.addEventListener('click', () => {
      if (button.dataset.release !== 'heal') return send({ do: button === hold && isHeld() ? 'go' : button.dataset.release });
      failing.value = failing.min;
      latency.value = latency.min;
      return faults();
    });
  }
  for (const range of [failing, latency]) {
    range.addEventListener('input', label);
    range.addEventListener('change', faults);
  }
  const draw = () => {
    root.hidden = !shown();
    hold.setAttribute('aria-pressed', String(isHeld()));
    hold.textContent = isHeld() ? 'Go on' : 'Hold';
  };
  label();
  draw();
  // Panels are drawn when the same news comes; what they show is looked at afterwards.
  link.addEventListener('panel', () => queueMicrotask(draw));
  return { draw };
}
