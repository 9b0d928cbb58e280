// The workshop beside a deck: the deck's link leads to a step, the speaker agrees and works, the audience reads.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, machine, open, serve } from './harness.mjs';

const DECK = `---
marp: true
lang: en
title: Talk
---

# Exercises

[Do step 1](../workshop/01-one.md)
`;

const STEP = `---
title: Make one
duration: 5m
panels: [pods]
---
# Make one

\`\`\`sh {run name=make}
kubectl create namespace one
\`\`\`

\`\`\`verify Namespace/one
The namespace is there.
\`\`\`

<details><summary>Hint</summary>

Use kubectl.

</details>

\`\`\`sh {solve}
kubectl create namespace one
\`\`\`

\`\`\`sh {reset}
kubectl delete namespace one --ignore-not-found
\`\`\`
`;

let root, server, browser;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-beside-'));
  for (const folder of ['decks', 'workshop']) await mkdir(join(root, folder));
  await writeFile(join(root, 'decks/talk.md'), DECK);
  await writeFile(join(root, 'workshop/01-one.md'), STEP);
  server = await serve(root, { env: { XDG_STATE_HOME: join(root, 'state') } });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  if (root) await rm(root, { recursive: true, force: true });
});

test('a deck leads to its workshop, which the speaker alone works in', { timeout: 180_000 }, async () => {
  const stage = await machine(browser);
  stage.setDefaultTimeout(60_000);
  const page = await open(stage, server.presenter);
  await page.goto(`${server.base}/d/talk/`);
  await page.getByRole('link', { name: 'Do step 1' }).click();
  await page.waitForURL('**/w/one');
  // Nothing runs before somebody has read the commands and agreed.
  assert.equal(await page.locator('.fd-command [data-run]').count(), 0);
  assert.equal((await page.request.get(`${server.base}/api/v1/workshop/one`)).status(), 403);
  await page.locator('header a').click();
  await page.getByRole('heading', { name: 'May these commands run on this machine?' }).waitFor();
  assert.deepEqual(await page.locator('[data-agree] pre').allTextContents(), [
    'kubectl create namespace one\n', 'kubectl create namespace one\n', 'kubectl delete namespace one --ignore-not-found\n',
  ]);
  await page.getByRole('button', { name: 'They may run' }).click();
  await page.locator('[data-agree]').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: /Make one/ }).click();
  await page.getByRole('button', { name: 'Start this step' }).click();
  await page.waitForFunction(() => document.querySelector('[data-do="start"]:not(:disabled)'));
  await page.locator('figure[data-terminal="open"]').waitFor();
  await page.getByRole('button', { name: 'Run the command make' }).click();
  await page.getByText('Done: all checks hold.').waitFor();

  const room = await (await machine(browser)).newPage();
  await room.goto(`${server.base}/w/one`);
  await room.getByText('The speaker works in this sandbox').waitFor();
  assert.equal(await room.locator('button:not([data-copy])').count(), 0, 'the audience has nothing to press');
  for (const verb of ['start', 'run', 'solve', 'reset']) {
    const answer = await room.request.post(`${server.base}/api/v1/workshop/one/${verb}`, { data: { name: 'make' }, headers: { Origin: server.base } });
    assert.equal(answer.status(), 403, verb);
  }
  assert.deepEqual(stage.errors.filter((error) => !/ (403|503) /.test(error)), []);
});
