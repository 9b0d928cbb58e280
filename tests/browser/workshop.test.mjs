// The first eight steps of the built-in workshop to their end: by clicks alone, and by keyboard alone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './harness.mjs';

const STEPS = ['install-the-operator', 'identity-and-deploy-key', 'configure', 'add-a-manifest', 'watch', 'break-it', 'change-the-replicas', 'automate'];
const DONE = 'Done: all checks hold.';

let root, child, links, browser;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-workshop-'));
  child = spawn(process.env.FOREDECK, ['workshop', 'serve', '--port', '0', '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
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
  browser = await launch();
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

/** A learner's window, at the form that the trainer's link leads to. */
async function arrive() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.stack));
  await page.goto(links.join);
  return page;
}

/** Waits until a step's page is there and its sandbox works. */
async function stands(page, step) {
  await page.waitForURL(`**/w/${step}`);
  await page.locator('body[data-ready="yes"]').waitFor({ state: 'attached' });
  await page.locator('figure[data-terminal="open"]').waitFor();
}

/** Waits until nothing is being done for the learner any more. */
async function rests(page) {
  await page.waitForFunction(() => document.querySelector('[data-do="start"]:not(:disabled)'));
}

async function done(page) {
  await page.getByText(DONE).waitFor();
}

test('eight steps by clicks alone', { timeout: 300_000 }, async () => {
  const page = await arrive();
  const click = (locator) => locator.click();
  await click(page.getByRole('button', { name: 'Join' }));
  await click(page.getByRole('link', { name: /Install the operator/ }));
  for (const [at, step] of STEPS.entries()) {
    await stands(page, step);
    await click(page.getByRole('button', { name: 'Start this step' }));
    await rests(page);
    // Where a file has to be edited, clicks alone get there by the solution.
    if (['configure', 'change-the-replicas', 'automate'].includes(step)) {
      await click(page.getByText('Solution', { exact: true }));
      await click(page.getByRole('button', { name: 'Do it for me' }));
    } else {
      for (const run of await page.locator('.fd-command [data-run]').all()) await click(run);
    }
    await done(page);
    if (at + 1 < STEPS.length) await click(page.locator('a[rel="next"]'));
  }
  await click(page.locator('header a'));
  await page.getByText(/\b8 of \d+ steps done/).waitFor();
  assert.deepEqual(page.faults, []);
});

test('eight steps by keyboard alone', { timeout: 300_000 }, async () => {
  const page = await arrive();
  const reach = async (selector) => {
    for (let at = 0; at < 60; at += 1) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`not reached by Tab: ${selector}`);
  };
  // What an editor would do, by the means of a shell.
  const edits = {
    configure: 'sed -i -e "s|--git-url=.*|--git-url=$(git remote get-url origin)|" -e "s|--git-branch=.*|--git-branch=main|" -e "s|--git-path=.*|--git-path=deploy|" flux/flux-deployment.yaml',
    'change-the-replicas': 'sed -i "s/replicas: 3/replicas: 4/" deploy/podinfo.yaml',
    automate: "fluxctl policy -w demo:deployment/podinfo --tag='podinfod=semver:~6.5' --automate",
  };
  await page.keyboard.type('keys');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/w/');
  await reach('a[href="/w/install-the-operator"]');
  await page.keyboard.press('Enter');
  for (const [at, step] of STEPS.entries()) {
    await stands(page, step);
    await reach('[data-do="start"]');
    await page.keyboard.press('Enter');
    await rests(page);
    const typed = edits[step];
    if (typed) {
      await reach('.xterm-helper-textarea');
      await page.keyboard.type(`${typed}; echo edi"ted"`);
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => /edited/.test(document.querySelector('.xterm-rows').textContent));
      await page.keyboard.press('Control+q');
    }
    // `fluxctl` has committed and pushed already.
    const runs = step === 'automate' ? 0 : await page.locator('.fd-command [data-run]').count();
    for (let run = 0; run < runs; run += 1) await page.keyboard.press('r');
    await done(page);
    if (at + 1 < STEPS.length) await page.keyboard.press('n');
  }
  await reach('header a');
  await page.keyboard.press('Enter');
  await page.getByText(/\b8 of \d+ steps done/).waitFor();
  assert.deepEqual(page.faults, []);
});
