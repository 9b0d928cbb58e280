// The time of the live system: a label wherever it is not real, and its controls for the speaker.

import { ask } from './steps.js';

/** `virtual time ×60`, or nothing. */
export function clockLabel(clock) {
  if (!clock?.virtual) return '';
  if (clock.speed === 0) return 'virtual time, paused';
  return clock.speed === 1 ? 'virtual time' : `virtual time ×${Math.round(clock.speed * 10) / 10}`;
}

/** What time it is there now; `at` is when the clock was told. */
export function virtualNow(clock, at) {
  const told = Date.parse(clock.now);
  return new Date(told + (Date.now() - at) * clock.speed);
}

const COMMANDS = {
  pause: { do: 'pause' },
  '10': { do: 'step', seconds: 10 },
  '60': { do: 'step', seconds: 60 },
  '300': { do: 'step', seconds: 300 },
  x1: { do: 'speed', times: 1 },
  x10: { do: 'speed', times: 10 },
  x60: { do: 'speed', times: 60 },
  real: { do: 'real' },
};

/** Keeps the label of this window. */
export function installClockLabel(link, label) {
  let clock = null;
  let at = 0;
  let timer = 0;
  const draw = () => {
    clearTimeout(timer);
    const words = clockLabel(clock);
    label.hidden = !words;
    if (!words) return;
    const time = virtualNow(clock, at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    label.textContent = `${words} · ${time}`;
    if (clock.speed > 0) timer = setTimeout(draw, Math.max(100, 1000 / clock.speed));
  };
  const take = (data) => {
    if (!data) return;
    clock = data;
    at = Date.now();
    draw();
  };
  link.addEventListener('clock', ({ detail }) => take(detail));
  take(link.last?.clock);
}

/** Buttons with `data-time`. */
export function installClockControls(root, link, toast) {
  const buttons = [...root.querySelectorAll('[data-time]')];
  const draw = (clock) => {
    root.hidden = !clock?.there;
    for (const button of buttons) {
      const command = COMMANDS[button.dataset.time];
      const on = command.do === 'pause' ? clock?.virtual && clock.speed === 0
        : command.do === 'speed' ? clock?.virtual && clock.speed === command.times
          : command.do === 'real' && clock?.there && !clock.virtual;
      if (command.do !== 'step') button.setAttribute('aria-pressed', String(Boolean(on)));
    }
  };
  for (const button of buttons) {
    button.addEventListener('click', () => ask('/api/v1/clock', COMMANDS[button.dataset.time]).catch((error) => toast(error.message)));
  }
  link.addEventListener('clock', ({ detail }) => draw(detail));
  draw(link.last?.clock);
}
