// The link to a server, with a server that answers when the test says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const quiet = { addEventListener() {}, visibilityState: 'visible' };
globalThis.window = quiet;
globalThis.document = quiet;

test('news that overtake the answer to our own move are taken over in the end', async () => {
  let source = null;
  globalThis.EventSource = class {
    static OPEN = 1;
    listeners = {};
    constructor() { source = this; }
    addEventListener(name, act) { this.listeners[name] = act; }
    close() {}
  };
  const answers = [];
  globalThis.fetch = () => new Promise((resolve) => answers.push((state) => resolve({ ok: true, json: async () => state })));
  const { ServerLink } = await import('../../themes/assets/live.js');
  const link = new ServerLink({ deck: 'talk', drive: true, resting: false });
  const taken = [];
  link.addEventListener('state', ({ detail }) => detail.position && taken.push(detail.state.slide));
  link.start();
  source.onopen();
  source.listeners.state({ data: JSON.stringify({ v: 1, slide: 0 }) });
  link.send({ do: 'goto', slide: 1 });
  source.listeners.state({ data: JSON.stringify({ v: 3, slide: 2 }) });
  assert.deepEqual(taken, [0], 'while our move is on its way nothing moves us');
  answers[0]({ v: 2, slide: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(taken, [0, 2]);
});
