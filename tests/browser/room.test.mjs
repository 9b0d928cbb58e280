// The workshop for many: joining by link, a step by clicks and one by keyboard, the trainer's page.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const SLOW = { timeout: 120_000 };
const step = (title, name) => `---
title: ${title}
duration: 5m
panels: [pods]
---
# ${title}

\`\`\`sh {run name=make}
kubectl create namespace ${name}
\`\`\`

\`\`\`verify Namespace/${name}
The namespace is there.
\`\`\`

<details><summary>Hint</summary>

Use kubectl.

</details>

\`\`\`sh {solve}
kubectl create namespace ${name}
\`\`\`

\`\`\`sh {reset}
kubectl delete namespace ${name} --ignore-not-found
\`\`\`
`;

let root, child, links, browser;

async function serve(port) {
  child = spawn(process.env.FOREDECK, ['workshop', 'serve', '--port', port, '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  links = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      try {
        resolve(JSON.parse(text));
      } catch {
        // not whole yet
      }
    });
    child.on('exit', () => reject(new Error('the server ended')));
  });
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-room-'));
  await mkdir(join(root, 'workshop'));
  await writeFile(join(root, 'workshop/01-one.md'), step('Make one', 'one'));
  await writeFile(join(root, 'workshop/02-two.md'), step('Make two', 'two'));
  await serve('0');
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  if (child && child.exitCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await gone;
  }
  await rm(root, { recursive: true, force: true });
});

/** A browser of somebody who has joined. */
async function joined(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  context.setDefaultTimeout(25_000);
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.stack));
  await page.goto(links.join);
  await page.getByLabel('A name for you').fill(name);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/w/');
  return page;
}

async function trainer() {
  const page = await (await browser.newContext({ viewport: { width: 1200, height: 800 }, colorScheme: 'light' })).newPage();
  await page.goto(links.trainer);
  return page;
}

const shot = (page, name) => (process.env.SHOTS ? page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true }) : null);

test('a step is done by clicks, the trainer sees it, a hint arrives', SLOW, async () => {
  const watch = await trainer();
  const page = await joined('Ada');
  await page.getByText('You are Ada').waitFor();
  await page.getByRole('link', { name: /Make one/ }).click();
  await watch.getByRole('rowheader', { name: 'Ada' }).waitFor();
  await page.locator('figure[data-terminal="open"]').waitFor();
  // The sandbox works as soon as the checks say something.
  await page.getByText(/^Not yet/).first().waitFor();
  await page.getByRole('button', { name: 'Start this step' }).click();
  const row = watch.getByRole('row', { name: /Ada/ });
  await row.getByText('in progress').waitFor();
  await watch.getByLabel('For', { exact: true }).selectOption({ label: 'Ada' });
  await watch.getByLabel('Hint').fill('Look at **the button**.');
  await watch.getByRole('button', { name: 'Send hint' }).click();
  const note = page.getByRole('region', { name: 'From your trainer' });
  await note.getByText('the button').waitFor();
  await shot(page, 'hint');
  await note.getByRole('button', { name: 'Got it' }).click();
  assert.equal(await note.isVisible(), false);
  await page.getByRole('button', { name: 'Run the command make' }).click();
  await page.getByText('Done: all checks hold.').waitFor();
  // Typed where the learner would have typed it, not run elsewhere.
  await page.waitForFunction(() => document.querySelector('.xterm-rows, .xterm-accessibility')?.textContent.includes('kubectl create namespace one'));
  await row.getByText('done', { exact: true }).waitFor();
  await shot(page, 'step');
  await shot(watch, 'trainer');
});

test('a step is done by keyboard alone', SLOW, async () => {
  const page = await joined('Bob', { colorScheme: 'light' });
  const reach = async (matches) => {
    for (let at = 0; at < 40; at += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(matches)) return;
    }
    assert.fail(`not reached by Tab: ${matches}`);
  };
  await reach(() => document.activeElement.matches('a[href="/w/two"]'));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/w/two');
  await page.locator('figure[data-terminal="open"]').waitFor();
  await reach(() => document.activeElement.matches('[data-do="start"]'));
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('[data-summary]').textContent.startsWith('Not yet'));
  await page.keyboard.press('r');
  await page.getByText('Done: all checks hold.').waitFor();
  await shot(page, 'keyboard');
  await page.keyboard.press('p');
  await page.waitForURL('**/w/one');
});

test('a trainer who starts again in the middle finds everybody, and their pages go on by themselves', SLOW, async () => {
  const watch = await trainer();
  const page = await joined('Cyd');
  await page.getByRole('link', { name: /Make one/ }).click();
  await page.locator('figure[data-terminal="open"]').waitFor();
  await page.getByRole('button', { name: 'Start this step' }).click();
  await page.waitForFunction(() => document.querySelector('[data-do="start"]:not(:disabled)'));
  await page.getByText(/^Not yet/).first().waitFor();
  const before = links;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  await page.locator('body[data-ready="no"]').waitFor({ state: 'attached' });
  await page.getByText('The server does not answer; trying again.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Start this step' }).getAttribute('aria-disabled'), 'true');
  await watch.getByText('The server does not answer; trying again.').waitFor();
  await serve(new URL(before.join).port);
  assert.deepEqual(links, { ...before, learners: 3 });
  // Nobody loads a page again.
  await page.locator('body[data-ready="yes"]').waitFor({ state: 'attached', timeout: 60_000 });
  await page.locator('figure[data-terminal="open"]').waitFor();
  await watch.getByRole('row', { name: /Cyd/ }).getByText('in progress').waitFor();
  await watch.getByLabel('For', { exact: true }).selectOption({ label: 'Cyd' });
  await watch.getByLabel('Hint').fill('We go on.');
  await watch.getByRole('button', { name: 'Send hint' }).click();
  await page.getByRole('region', { name: 'From your trainer' }).getByText('We go on.').waitFor();
  await page.getByRole('button', { name: 'Run the command make' }).click();
  await page.getByText('Done: all checks hold.').waitFor();
  assert.deepEqual(page.faults, []);
});
