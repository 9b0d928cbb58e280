// Live panels: what the cluster does is seen on the slide, by everybody alike, and the speaker alone reads what is wrong.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connected, foredeck, launch, machine, onSlide, open, press, project, ready, serve } from './harness.mjs';

const DECK = `---
theme: gitops
lang: en
---

# Pods

\`\`\`panel pods namespace=demo
SNAPSHOT
\`\`\`

---

# Nothing there

\`\`\`panel logs pod=nowhere namespace=demo
SNAPSHOT OF A LOG
\`\`\`

---

# A code

\`\`\`panel qr text=https://foredeck.example/a
https://foredeck.example/a
\`\`\`

---

# Your turn

\`\`\`panel poll "Who applies?" "A pipeline pushes" "A controller pulls"
Who applies?
\`\`\`

---

# Guess

\`\`\`panel poll "How long?" "A second" "An hour" hidden
How long?
\`\`\`
`;

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo, namespace: demo}
spec:
  replicas: 2
  selector: {matchLabels: {app: podinfo}}
  template:
    metadata: {labels: {app: podinfo}}
    spec: {containers: [{name: podinfo, image: "stefanprodan/podinfo:6.5.0"}]}
`;

const STARTS = { timeout: 30_000 };
let files, server, browser, context, page;

before(async () => {
  files = await project();
  await writeFile(join(files.root, 'decks', 'live.md'), DECK);
  server = await serve(files.root);
  browser = await launch();
  context = await machine(browser);
  page = await open(context, `${server.base}/d/live/`);
  await connected(page);
});
after(async () => {
  await context?.close();
  await browser?.close();
  await server?.stop();
  await files?.remove();
});

const rows = (of) => onSlide(of, '.fd-panel tbody tr').evaluateAll((all) => all.map((row) => row.dataset.key).sort());
const running = (of, count) => of.waitForFunction((wanted) => document.querySelectorAll('#deck > svg.bespoke-marp-active .fd-panel tr[data-mark="good"]').length === wanted, count, STARTS);
const kubectl = (...args) => foredeck('kubectl', '--kubeconfig', join(files.root, '.foredeck', 'kubeconfig'), '-n', 'demo', ...args);

test('pods appear in the place of the snapshot, which stays in the document', async () => {
  await onSlide(page, '.fd-panel:has-text("No pods in demo.")').waitFor(STARTS);
  const manifest = join(files.root, 'podinfo.yaml');
  await writeFile(manifest, DEPLOYMENT);
  await kubectl('apply', '-f', manifest);
  await running(page, 2);
  const figure = onSlide(page, 'figure');
  assert.equal(await figure.getByText('SNAPSHOT').isVisible(), false);
  assert.equal(await figure.getByText('SNAPSHOT').count(), 1);
  assert.match(await onSlide(page, '.fd-panel').innerText(), /NAME\s+READY\s+STATUS/);
});

test('a change is seen and glows, in two windows alike, and by a late joiner', async () => {
  const other = await open(context, `${server.base}/d/live/`);
  await running(other, 2);
  const glowed = page.evaluate(() => new Promise((resolve) => {
    const look = () => (document.querySelector('.fd-glow') ? resolve(true) : requestAnimationFrame(look));
    look();
  }));
  await kubectl('delete', 'pod', '--all', '--wait=false');
  assert.equal(await glowed, true);
  await running(page, 2);
  await running(other, 2);
  const late = await open(context, `${server.base}/d/live/`);
  await running(late, 2);
  assert.deepEqual(await rows(other), await rows(page));
  assert.deepEqual(await rows(late), await rows(page));
  await page.waitForFunction(() => document.querySelectorAll('.fd-glow').length === 0);
  await other.close();
  await late.close();
});

test('copies and new slides show it too', async () => {
  await press(page, 'o');
  await page.locator('.fd-thumb .fd-panel tr[data-mark="good"]').first().waitFor();
  await press(page, 'Escape');
  await writeFile(join(files.root, 'decks', 'live.md'), DECK.replace('# Pods', '# All pods'));
  await onSlide(page, 'h1:has-text("All pods")').waitFor();
  await running(page, 2);
  await writeFile(join(files.root, 'decks', 'live.md'), DECK);
});

test('the speaker alone reads what is wrong; the snapshot stays', async () => {
  const view = await context.newPage();
  await view.goto(server.presenter);
  await view.goto(`${server.base}/d/live/?view=presenter#2`);
  await ready(view);
  await onSlide(view, '.fd-panel-problem:has-text("nowhere")').waitFor();
  const guests = await machine(browser);
  const guest = await open(guests, `${server.base}/d/live/#2`);
  await connected(guest);
  await guest.waitForFunction(() => document.querySelectorAll('figure[data-live]').length > 0);
  assert.equal(await onSlide(guest, '.fd-panel-problem').count(), 0);
  assert.equal(await onSlide(guest, 'figure').getByText('SNAPSHOT OF A LOG').isVisible(), true);
  assert.deepEqual(guests.errors, []);
  await guests.close();
  await view.close();
});

test('many rows are made to fit their slide', async () => {
  await page.goto(`${server.base}/d/live/#1`);
  await running(page, 2);
  await kubectl('scale', 'deployment', 'podinfo', '--replicas=12');
  await page.waitForFunction(() => document.querySelectorAll('#deck > svg.bespoke-marp-active .fd-panel tbody tr').length > 6, null, STARTS);
  const room = await page.evaluate(() => {
    const section = document.querySelector('#deck > svg.bespoke-marp-active section');
    const body = section.querySelector('.fd-panel');
    return [section.scrollHeight - section.clientHeight, body.firstElementChild.offsetHeight - body.clientHeight];
  });
  assert.ok(room[0] <= 1 && room[1] <= 1, `over by ${room}`);
});

test('the room votes, once per browser, and everybody sees it', async () => {
  const guests = await machine(browser);
  const guest = await open(guests, `${server.base}/d/live/#4`);
  await page.goto(`${server.base}/d/live/#4`);
  const votes = (of) => onSlide(of, '.fd-votes').allTextContents();
  const shows = async (of, wanted) => {
    await of.waitForFunction((text) => [...document.querySelectorAll('#deck > svg.bespoke-marp-active .fd-votes')].map((vote) => vote.textContent).join() === text, wanted);
  };
  await onSlide(guest, '[data-choice="0"]').click();
  await shows(page, '1,0');
  await onSlide(guest, '[data-choice="1"]').click();
  await onSlide(page, '[data-choice="1"]').click();
  await shows(guest, '0,2');
  assert.deepEqual(await votes(page), ['0', '2']);
  assert.equal(await onSlide(guest, '[aria-pressed="true"]').getAttribute('data-choice'), '1');
  assert.match(guest.url(), /#4$/, 'a vote is no click on the slide');
  assert.deepEqual(guests.errors, []);
  await guests.close();
});

test('results of a hidden poll are seen when the speaker shows them', async () => {
  const desk = await machine(browser);
  const view = await open(desk, server.presenter);
  await view.goto(`${server.base}/d/live/?view=presenter#5`);
  const guests = await machine(browser);
  const guest = await open(guests, `${server.base}/d/live/#5`);
  await onSlide(guest, '[data-choice="1"]').click();
  await onSlide(guest, '.fd-more:has-text("1 vote so far")').waitFor();
  assert.equal(await onSlide(guest, '.fd-votes').count(), 0);
  assert.equal(await guest.locator('.fd-controls').count(), 0, 'the audience has no buttons');
  const show = view.getByRole('group', { name: 'Poll' }).getByRole('button', { name: 'Show results' });
  await show.focus();
  await press(view, 'Enter');
  await onSlide(guest, '.fd-votes').first().waitFor();
  assert.deepEqual(await onSlide(guest, '.fd-votes').allTextContents(), ['0', '1']);
  await view.waitForFunction(() => document.activeElement?.getAttribute('aria-pressed') === 'true');
  await view.getByRole('button', { name: 'Start over' }).click();
  await guest.waitForFunction(() => [...document.querySelectorAll('#deck > svg.bespoke-marp-active .fd-votes')].map((vote) => vote.textContent).join() === '0,0');
  assert.deepEqual([...desk.errors, ...guests.errors], []);
  await desk.close();
  await guests.close();
});

test('nothing went wrong in the page', () => {
  assert.deepEqual(context.errors, []);
});
