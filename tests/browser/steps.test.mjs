// Steps on slides: agreed to, run, broken and healed, taken back; terminals; the clock. On the real embedded cluster.

import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, machine, onSlide, open, press, serve } from './harness.mjs';

const DECK = `---
marp: true
theme: gitops
title: Steps
---

# Break and heal

\`\`\`sh {run name=add checkpoint wait="deploy/web -n default available" timeout=60s}
kubectl create deployment web --image=nginx
\`\`\`

\`\`\`sh {run name=break wait="deploy/web deleted"}
kubectl delete deployment web
\`\`\`

<!--
Say something.

If it fails: run it again.
-->

---

# In a terminal

\`\`\`sh {run name=typed in=main type=human}
echo typed-$((40+2))
\`\`\`

\`\`\`panel terminal name=main
$ the last good run
\`\`\`

---

# Failing

\`\`\`sh {run name=fails}
echo something is wrong; exit 3
\`\`\`
`;

let root;
let server;
let browser;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-steps-'));
  await mkdir(join(root, 'decks'));
  await writeFile(join(root, 'decks', 'talk.md'), DECK);
  process.env.XDG_STATE_HOME = join(root, 'state');
  server = await serve(root);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  if (root) await rm(root, { recursive: true, force: true });
});

const state = (page, name) => onSlide(page, `.foredeck-step[data-step="${name}"] .fd-step`);

async function becomes(page, name, wanted) {
  await page.waitForFunction(([step, state]) => document.querySelector(`#deck .foredeck-step[data-step="${step}"] .fd-step`)?.dataset.state === state, [name, wanted], { timeout: 60_000 });
}

const shot = (page, name) => (process.env.SHOTS ? page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) }) : null);

test('the whole path: agree, run, break, back, type, stop the time', { timeout: 180_000 }, async () => {
  const stage = await machine(browser);
  const room = await machine(browser);
  const speaker = await open(stage, server.presenter);
  const audience = await open(room, `${server.base}/d/talk/?follow`);
  await speaker.waitForSelector('.fd-book [data-book="demo"][data-state="ready"]', { timeout: 60_000 });

  // Nothing runs before somebody has read the commands and agreed.
  assert.match(await state(speaker, 'add').locator('.fd-step-note').textContent(), /not trusted/);
  await press(speaker, 'r');
  await speaker.waitForSelector('#fd-trust[open]');
  assert.deepEqual(await speaker.locator('#fd-trust pre').allTextContents(), [
    'kubectl create deployment web --image=nginx', 'kubectl delete deployment web', 'echo typed-$((40+2))', 'echo something is wrong; exit 3',
  ]);
  await shot(speaker, 'trust');
  await press(speaker, 'Enter');
  await speaker.waitForSelector('#fd-trust:not([open])', { state: 'attached' });
  assert.equal(await state(speaker, 'add').getAttribute('data-state'), 'ready', 'Enter is not an agreement');
  await press(speaker, 'r');
  await speaker.click('#fd-trust [data-agree]');
  await becomes(speaker, 'add', 'passed');
  await becomes(audience, 'add', 'passed');
  assert.equal(await audience.locator('.fd-step-run').count(), 0, 'the audience has no buttons');
  assert.match(await speaker.locator('[data-book="output"]').textContent(), /deployment.apps\/web created/);
  assert.match(await speaker.locator('[data-book="fails"]').textContent(), /run it again/);
  await shot(speaker, 'runbook');

  // The audience's keys run nothing.
  await press(audience, 'r', 'Enter', 'u');
  assert.equal(await state(audience, 'break').getAttribute('data-state'), 'ready');

  await press(speaker, 'r');
  await becomes(speaker, 'break', 'passed');
  await press(speaker, 'u');
  await speaker.waitForSelector('#fd-confirm[open]');
  await speaker.click('#fd-confirm button[value="yes"]');
  await becomes(speaker, 'add', 'ready');
  await becomes(audience, 'break', 'ready');

  // A button runs it again; what ran before the checkpoint's step is as it was.
  await state(speaker, 'add').locator('.fd-step-run').click();
  await becomes(speaker, 'add', 'passed');
  await shot(audience, 'audience');

  await press(speaker, 'PageDown');
  await speaker.waitForSelector('#deck figure.fd-term-on .xterm');
  await press(speaker, 'r');
  await becomes(speaker, 'typed', 'passed');
  for (const page of [speaker, audience]) {
    await page.waitForFunction(() => document.querySelector('#deck .fd-term .xterm-rows')?.textContent.includes('typed-42'), null, { timeout: 20_000 });
  }
  await speaker.click('#deck .fd-term .xterm-screen');
  await speaker.keyboard.type('echo by-$((6*7))\n');
  await audience.waitForFunction(() => document.querySelector('#deck .fd-term .xterm-rows')?.textContent.includes('by-42'), null, { timeout: 20_000 });
  await shot(speaker, 'terminal-speaker');
  await shot(audience, 'terminal-audience');
  assert.equal(await audience.evaluate(() => document.querySelector('#deck .fd-term textarea').tabIndex), -1);
  await press(speaker, 'Control+q', 'PageDown');
  await speaker.waitForFunction(() => document.querySelector('#deck > svg.bespoke-marp-active h1')?.textContent === 'Failing');

  await press(speaker, 'r');
  await becomes(speaker, 'fails', 'failed');
  assert.match(await state(speaker, 'fails').textContent(), /exit code 3/);
  await becomes(audience, 'fails', 'failed');
  assert.doesNotMatch(await audience.content(), /something is wrong<\/pre>|fd-book"[^>]*>.*something/);

  await speaker.click('[data-time="pause"]');
  for (const page of [speaker, audience]) {
    await page.waitForFunction(() => /virtual time, paused/.test(document.getElementById('fd-virtual').textContent));
  }
  await speaker.click('[data-time="x60"]');
  await audience.waitForFunction(() => /virtual time ×60/.test(document.getElementById('fd-virtual').textContent));
  await shot(audience, 'clock');
  await speaker.click('[data-time="real"]');
  await audience.waitForFunction(() => document.getElementById('fd-virtual').hidden);

  const late = await open(await machine(browser), `${server.base}/d/talk/?follow`);
  await becomes(late, 'fails', 'failed');
  const phone = await (await machine(browser, { viewport: { width: 390, height: 844 } })).newPage();
  await phone.goto(server.remote);
  await phone.waitForFunction(() => /Run: fails/.test(document.querySelector('[data-do="run"]').textContent));
  await shot(phone, 'remote');
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(room.errors, []);
});
