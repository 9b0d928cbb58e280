// What a talk promises on stage: a newcomer's two seconds, the way back to a slide, polls that wait, and the figures.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { arrives, connected, foredeck, launch, machine, onSlide, open, press, ready, serve } from './harness.mjs';

const DECK = `---
theme: gitops
title: Stage
---

# Before

\`\`\`panel resources kind=configmap namespace=default
SNAPSHOT
\`\`\`

---

# First

\`\`\`sh {run name=one checkpoint wait="cm/one -n default exists"}
kubectl -n default create configmap one --from-literal=a=b
\`\`\`

\`\`\`panel resources kind=configmap namespace=default
SNAPSHOT
\`\`\`

---

# Second

\`\`\`sh {run name=two checkpoint wait="cm/two -n default exists"}
kubectl -n default create configmap two --from-literal=a=b
\`\`\`

---

# Your turn

\`\`\`panel poll "Who applies?" "A pipeline pushes" "A controller pulls" hidden
Who applies?
\`\`\`

---

# Live

\`\`\`panel pods
SNAPSHOT
\`\`\`

\`\`\`panel events
SNAPSHOT
\`\`\`

\`\`\`panel timeline
SNAPSHOT
\`\`\`

\`\`\`panel sync
SNAPSHOT
\`\`\`
`;

const SLOW = { timeout: 60_000 };
const repository = new URL('../..', import.meta.url).pathname;
let root, server, browser;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-stage-'));
  await mkdir(join(root, 'decks'));
  await writeFile(join(root, 'decks', 'stage.md'), DECK);
  for (const deck of ['gitops-intro.md', 'gitops.md', 'flux.md']) await cp(join(repository, 'decks', deck), join(root, 'decks', deck));
  await cp(join(repository, 'images'), join(root, 'images'), { recursive: true });
  process.env.XDG_STATE_HOME = join(root, 'state');
  await foredeck('trust', '--yes', join(root, 'decks'));
  server = await serve(root);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  if (root) await rm(root, { recursive: true, force: true });
});

const shot = (page, name) => (process.env.SHOTS ? page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) }) : null);
const kubectl = (...args) => foredeck('kubectl', '--kubeconfig', join(root, '.foredeck', 'kubeconfig'), ...args);
const step = (page, name, state) => page.waitForFunction(([wanted, is]) => document.querySelector(`#deck .foredeck-step[data-step="${wanted}"] .fd-step`)?.dataset.state === is, [name, state], SLOW);
const active = '#deck > svg.bespoke-marp-active';
const shows = (page, selector, text) => page.waitForFunction(([where, what]) => [...document.querySelectorAll(where)].some((found) => found.textContent.includes(what)), [`${active} ${selector}`, text], SLOW);
const lacks = (page, selector, text) => page.waitForFunction(([where, what]) => ![...document.querySelectorAll(where)].some((found) => found.textContent.includes(what)), [`${active} ${selector}`, text], SLOW);

/** A window of the speaker on a deck's slide. */
async function speaks(context, deck, slide) {
  const page = await context.newPage();
  await page.goto(server.presenter);
  await page.goto(`${server.base}/d/${deck}/?view=presenter#${slide}`);
  await ready(page);
  await connected(page);
  await page.waitForSelector('.fd-book [data-book="demo"][data-state="ready"]', SLOW);
  // Opening a window moves nobody; the audience follows once the speaker goes there.
  await page.evaluate(([to, number]) => fetch('/api/v1/control', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ do: 'goto', deck: to, slide: number - 1 }),
  }), [deck, slide]);
  await arrives(page, `${slide}.0`);
  return page;
}

/** Number of the slide of a deck that has a step, from 1. */
async function slideOf(deck, name) {
  const html = await (await fetch(`${server.base}/d/${deck}/`)).text();
  const slides = html.split('<svg data-marpit-svg').slice(1);
  return slides.findIndex((slide) => slide.includes(`data-step="${name}"`)) + 1;
}

test('two seconds after r a newcomer sees commit, sync and pods', SLOW, async () => {
  const stage = await machine(browser);
  const room = await machine(browser);
  const slide = await slideOf('gitops-intro', 'pull');
  const speaker = await speaks(stage, 'gitops-intro', slide);
  const audience = await open(room, `${server.base}/d/gitops-intro/?follow`);
  await connected(audience);
  await arrives(audience, `${slide}.0`);
  await step(speaker, 'pull', 'ready');
  const seen = (namespace) => audience.evaluate((wanted) => new Promise((resolve) => {
    const look = () => {
      const figures = [...document.querySelectorAll('#deck > svg.bespoke-marp-active figure[data-live]')];
      const figure = figures.find((found) => found.dataset.panelKey.includes(`namespace="${wanted}"`));
      if (figure?.querySelector('tr[data-mark="good"]')) requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  }), namespace);
  for (const [name, namespace] of [['pipeline', 'push'], ['pull', 'demo']]) {
    const pods = seen(namespace);
    const pressed = await speaker.evaluate(() => performance.timeOrigin + performance.now());
    await press(speaker, 'r');
    const took = await pods - pressed;
    console.log(`${name}: pods run on the audience's screen ${Math.round(took)} ms after the key`);
    await step(speaker, name, 'passed');
    // Two seconds are meant; a machine that does ten other things at once gets more.
    assert.ok(took < 10_000, `${name} took ${took} ms`);
  }
  await shot(audience, 'intro');
  // The same is in Git and in the record of the reconciler, and another deck's step that adds it again is no failure.
  for (const [deck, name] of [['gitops', 'add'], ['flux', 'add']]) {
    const other = await speaks(stage, deck, await slideOf(deck, name));
    await step(other, name, 'ready');
    await press(other, 'r');
    await step(other, name, 'passed');
    await shows(other, 'figure', 'Add podinfo');
    await shows(other, 'figure', 'synced');
    await other.close();
  }
  assert.deepEqual([...stage.errors, ...room.errors], []);
  await Promise.all([stage.close(), room.close()]);
});

test('going back to a slide can put the demo back to how it was there, in every window', { timeout: 120_000 }, async () => {
  const stage = await machine(browser);
  const room = await machine(browser);
  const speaker = await speaks(stage, 'stage', 2);
  const windows = [];
  for (let count = 0; count < 2; count += 1) windows.push(await open(room, `${server.base}/d/stage/?follow`));
  for (const window of windows) await arrives(window, '2.0');
  await press(speaker, 'r');
  await step(speaker, 'one', 'passed');
  for (const window of windows) await shows(window, 'figure tr', 'one');
  await press(speaker, 'PageDown', 'r');
  await step(speaker, 'two', 'passed');
  // Back on the first step's slide: offered, asked, done, and seen by everybody.
  await press(speaker, 'PageUp');
  await arrives(speaker, '2.0');
  await speaker.waitForFunction(() => /Press u to put the demo back to how it was on this slide: before “one”/.test(document.body.textContent));
  assert.match(await speaker.locator('[data-book="checkpoints"]').textContent(), /u puts the demo back to before “one”/);
  await shot(speaker, 'offer');
  await press(speaker, 'u');
  await speaker.waitForSelector('#fd-confirm[open]');
  await speaker.click('#fd-confirm button[value="yes"]');
  await step(speaker, 'two', 'ready');
  for (const window of windows) {
    await arrives(window, '2.0');
    await lacks(window, 'figure tr', 'one');
    await step(window, 'one', 'ready');
  }
  // A slide before the first step goes back to the oldest checkpoint that was made after it.
  await press(speaker, 'r');
  await step(speaker, 'one', 'passed');
  await press(speaker, 'PageUp');
  await arrives(windows[0], '1.0');
  await shows(windows[0], 'figure tr', 'one');
  await press(speaker, 'u');
  await speaker.waitForSelector('#fd-confirm[open]');
  assert.match(await speaker.locator('#fd-confirm h2').textContent(), /before “one”/);
  await speaker.click('#fd-confirm button[value="yes"]');
  await lacks(windows[0], 'figure tr', 'one');
  const late = await open(room, `${server.base}/d/stage/?follow`);
  await arrives(late, '1.0');
  await shows(late, 'figure[data-live]', 'kube-root-ca');
  await lacks(late, 'figure tr', 'one');
  const rows = (page) => onSlide(page, '.fd-panel tbody tr').evaluateAll((all) => all.map((row) => row.dataset.key));
  assert.deepEqual(await rows(late), await rows(windows[1]));
  // The room's keys do nothing of it.
  await press(late, 'u', 'r', 'v');
  assert.equal(await late.locator('#fd-confirm[open]').count(), 0);
  assert.deepEqual([...stage.errors, ...room.errors], []);
  await Promise.all([stage.close(), room.close()]);
});

test('the results of a poll wait for the speaker', { timeout: 60_000 }, async () => {
  const stage = await machine(browser);
  const rooms = [await machine(browser), await machine(browser)];
  const speaker = await speaks(stage, 'stage', 4);
  const guests = [];
  for (const room of rooms) guests.push(await open(room, `${server.base}/d/stage/#4`));
  for (const [index, guest] of guests.entries()) {
    await onSlide(guest, `[data-choice="1"]`).click();
    await shows(speaker, '.fd-more', `${index + 1} vote`);
  }
  await shows(guests[0], '.fd-more', '2 votes so far');
  assert.equal(await onSlide(guests[0], '.fd-votes').count(), 0);
  await shot(guests[0], 'poll-hidden');
  await press(guests[0], 'v');
  await press(speaker, 'v');
  for (const page of [speaker, ...guests]) await shows(page, '[data-choice="1"] .fd-votes', '2');
  await shot(guests[0], 'poll-shown');
  const late = await open(await machine(browser), `${server.base}/d/stage/#4`);
  await shows(late, '[data-choice="1"] .fd-votes', '2');
  await press(speaker, 'v');
  for (const page of [late, ...guests]) await shows(page, '.fd-more', '2 votes so far');
  assert.deepEqual([stage, ...rooms].flatMap((context) => context.errors), []);
  await Promise.all([stage, ...rooms].map((context) => context.close()));
});

/** Milliseconds of processor time that a process has taken. */
async function cpu(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test('a change in the cluster is on the screen at once', { timeout: 120_000 }, async () => {
  const room = await machine(browser);
  const page = await open(room, `${server.base}/d/stage/#1`);
  await connected(page);
  await shows(page, 'figure[data-live]', 'kube-root-ca');
  const api = await reach();
  const maps = '/api/v1/namespaces/default/configmaps';
  const delays = [];
  for (let round = 1; round <= 20; round += 1) {
    const name = `round-${round}-x`;
    const seen = page.evaluate((wanted) => new Promise((resolve) => {
      const look = () => {
        if (!document.querySelector('#deck > svg.bespoke-marp-active .fd-panel')?.textContent.includes(wanted)) return;
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
      };
      const observer = new MutationObserver(look);
      observer.observe(document.getElementById('deck'), { subtree: true, childList: true, characterData: true });
    }), name);
    // The page listens now.
    await page.evaluate(() => true);
    const started = performance.timeOrigin + performance.now();
    await api('POST', maps, { metadata: { name } });
    delays.push(await seen - started);
    await api('DELETE', `${maps}/${name}`);
    await lacks(page, '.fd-panel', name);
  }
  delays.sort((a, b) => a - b);
  const at = (share) => Math.round(delays[Math.floor((delays.length - 1) * share)]);
  console.log(`a change in the cluster is on the screen after ${at(0.5)} ms (median), ${at(0.9)} ms (p90), ${at(1)} ms at most`);
  assert.ok(at(0.5) < 400, `median ${at(0.5)} ms`);
  assert.deepEqual(room.errors, []);
  await room.close();
});

/** Asks the cluster's API as the kubeconfig says. */
async function reach() {
  const { request } = await import('node:https');
  const text = await readFile(join(root, '.foredeck', 'kubeconfig'), 'utf8');
  const find = (key) => new RegExp(`${key}:\\s*"?([^"\\s]+)`).exec(text)[1];
  const [url, token, ca] = [new URL(find('server')), find('token'), Buffer.from(find('certificate-authority-data'), 'base64')];
  return (method, path, body) => new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const asked = request({ host: url.hostname, port: url.port, path, method, ca, headers }, (answer) => {
      let said = '';
      answer.on('data', (chunk) => { said += chunk; });
      answer.on('end', () => (answer.statusCode < 300 ? resolve(JSON.parse(said)) : reject(new Error(`${answer.statusCode} ${said}`))));
    });
    asked.on('error', reject);
    asked.end(body && JSON.stringify(body));
  });
}

test('an open deck with live panels costs next to nothing while nothing happens', { timeout: 120_000 }, async () => {
  const room = await machine(browser);
  const page = await open(room, `${server.base}/d/stage/#5`);
  await connected(page);
  await page.waitForFunction(() => document.querySelectorAll('figure[data-live]').length >= 4, null, SLOW);
  const seconds = Number(process.env.IDLE_SECONDS ?? 10);
  const rest = () => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
  // What came before may still settle: the best of a few looks counts.
  let least = 100;
  for (let look = 0; look < 3 && least >= 1; look += 1) {
    const before = await cpu(server.pid);
    await rest();
    least = Math.min(least, (await cpu(server.pid) - before) / (seconds * 10));
  }
  console.log(`idle: ${least.toFixed(2)} % of a processor over ${seconds} s`);
  assert.ok(least < 3, `${least} %`);
  await room.close();
});
