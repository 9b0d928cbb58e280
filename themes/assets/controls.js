// What the speaker can do with panels of the slide: releases and polls, as rows of buttons in the runbook.

import { ask } from './steps.js';

const button = (words, act, pressed) => {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = words;
  if (pressed !== undefined) made.setAttribute('aria-pressed', String(pressed));
  made.addEventListener('click', act);
  return made;
};

/** A slider that says its value; `act` is called when it is let go. */
function slider(words, value, { max, step, unit }, act) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  const output = document.createElement('output');
  Object.assign(input, { type: 'range', min: '0', max: String(max), step: String(step), value: String(value) });
  const say = () => { output.textContent = `${input.value}${unit}`; };
  input.addEventListener('input', say);
  input.addEventListener('change', () => act(Number(input.value)));
  say();
  label.append(words, ' ', input, output);
  return label;
}

function canary({ namespace, name, releasing, held, gates, success, latency_ms: latency }, send) {
  const to = (change) => () => send('/api/v1/canary', { namespace, name, ...change });
  const parts = [
    button('Promote', to({ do: 'promote' })),
    button('Hold', to({ do: held ? 'go' : 'hold' }), held),
    button('Roll back', to({ do: 'rollback' })),
  ];
  for (const index of [0, 2]) parts[index].disabled = !releasing;
  for (const [gate, open] of gates) parts.push(button(`Gate ${gate}`, to({ do: open ? 'close' : 'open', gate }), open));
  parts.push(
    slider('Success', success, { max: 100, step: 1, unit: ' %' }, (value) => to({ faults: { success: value } })()),
    slider('Latency', Math.min(latency, 2000), { max: 2000, step: 50, unit: ' ms' }, (value) => to({ faults: { latency_ms: value } })()),
  );
  return { words: `Canary ${name}`, parts };
}

function poll({ hidden }, send, key) {
  const to = (act) => () => send('/api/v1/poll/control', { key, do: act });
  return { words: 'Poll', parts: [button('Show results', to(hidden ? 'show' : 'hide'), !hidden), button('Start over', to('reset'))] };
}

const KINDS = { canary, poll };

/** Keeps rows of controls in `root` for the panels that `keys()` names. */
export function installControls(root, { link, toast, keys }) {
  const known = new Map();
  const rows = new Map();
  const send = async (path, body) => {
    try {
      await ask(path, body);
    } catch (error) {
      toast([error.message, error.hint].filter(Boolean).join(' '));
    }
  };

  const make = (key, controls) => {
    const { words, parts } = KINDS[controls.of](controls, send, key);
    const row = document.createElement('div');
    row.className = 'fd-controls';
    row.role = 'group';
    row.setAttribute('aria-label', words);
    const name = document.createElement('span');
    name.textContent = words;
    row.append(name, ...parts);
    return row;
  };

  /** What is being pressed or dragged keeps the focus: the new row gets it at the same place. */
  const put = (key, controls) => {
    const before = rows.get(key);
    const text = JSON.stringify(controls);
    if (before?.text === text) return before.row;
    const at = before ? [...before.row.querySelectorAll('button, input')].indexOf(document.activeElement) : -1;
    const row = make(key, controls);
    before?.row.replaceWith(row);
    rows.set(key, { row, text });
    row.querySelectorAll('button, input')[at]?.focus({ preventScroll: true });
    return row;
  };

  const draw = () => {
    const here = new Set([...keys()].filter((key) => KINDS[known.get(key)?.of]));
    for (const [key, { row }] of rows) {
      if (here.has(key)) continue;
      row.remove();
      rows.delete(key);
    }
    for (const key of here) {
      const row = put(key, known.get(key));
      if (!row.isConnected) root.append(row);
    }
    root.hidden = here.size === 0;
  };

  const take = (data) => {
    if (data.controls) known.set(data.key, data.controls);
    else known.delete(data.key);
    draw();
  };
  link.addEventListener('panel', ({ detail }) => take(detail));
  for (const data of link.panels?.values() ?? []) take(data);
  draw();
  return { draw };
}
