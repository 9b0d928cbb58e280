// Live reload: what a saved edit does to open windows, and how soon it is seen.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { arrives, at, connected, launch, machine, onSlide, open, press, project, ready, serve } from './harness.mjs';

let files, server, browser, context, original;

before(async () => { browser = await launch(); });
after(() => browser?.close());
beforeEach(async () => {
  files = await project();
  original = await files.read();
  server = await serve(files.root);
  context = await machine(browser);
});
afterEach(async () => {
  const { errors } = context;
  await context.close();
  await server.stop();
  await files.remove();
  assert.deepEqual(errors, []);
});

async function deck(path = '') {
  const page = await open(context, server.talk + path);
  await connected(page);
  await page.evaluate(() => { window.sameDocument = true; });
  return page;
}

test('an edit keeps slide, fragment and what did not change', async () => {
  const page = await deck('?f=2#2');
  await page.evaluate(() => { window.third = document.querySelectorAll('#deck > svg')[2]; });
  await files.write(original.replace('* beta', '* changed'));
  await onSlide(page, 'li:has-text("changed")').waitFor();
  await arrives(page, '2.2');
  assert.equal(await page.evaluate(() => window.third === document.querySelectorAll('#deck > svg')[2]), true, 'an unchanged slide is the same element');
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  await press(page, 'ArrowRight');
  await arrives(page, '2.3');
});

test('an edit keeps scroll position, opened details and focus', async () => {
  const page = await deck('#5');
  await onSlide(page, 'summary').click();
  await onSlide(page, '.tall').evaluate((box) => { box.scrollTop = 120; });
  await files.write(original.replace('Hidden treasure', 'Hidden gold'));
  await onSlide(page, 'details:has-text("gold")').waitFor();
  assert.equal(await onSlide(page, '.tall').evaluate((box) => box.scrollTop), 120);
  assert.equal(await onSlide(page, 'details').evaluate((box) => box.open), true);
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'summary');
});

test('slides added before this one do not push it away', async () => {
  const page = await deck('#6');
  await files.replace(original.replace('---\n\n## Steps', '---\n\n## Fresh\n\n---\n\n## Steps'));
  await page.waitForFunction(() => document.querySelectorAll('#deck > svg').length === 9);
  await arrives(page, '7.0');
  assert.equal(await onSlide(page, 'h2').textContent(), 'Needle');
  await files.replace(original.slice(0, original.indexOf('\n---\n\n## Code')));
  await page.waitForFunction(() => document.querySelectorAll('#deck > svg').length === 2);
  await arrives(page, '2.0').catch(() => arrives(page, '2.3'));
});

test('styles change without touching the slides', async () => {
  const page = await deck('#6');
  await files.write(`${original}\n\n<style>\nh2 { color: rgb(1, 2, 3); }\n</style>\n`);
  await page.waitForFunction(() => getComputedStyle(document.querySelector('#deck > svg.bespoke-marp-active h2')).color === 'rgb(1, 2, 3)');
  assert.equal(await at(page), '6.0');
});

test('a deck that is gone or unreadable keeps the last good slides', async () => {
  const view = await context.newPage();
  await view.goto(server.presenter);
  await view.goto(`${server.talk}?view=presenter`);
  await ready(view);
  await connected(view);
  const guests = await machine(browser);
  const guest = await open(guests, `${server.talk}#2`);
  await connected(guest);
  await files.write(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x81, 0xc3]));
  await view.locator('#fd-problems').waitFor({ state: 'visible' });
  assert.equal(await onSlide(guest, 'h2').textContent(), 'Steps');
  assert.equal(await guest.locator('#fd-problems').count(), 0, 'the audience sees nothing of it');
  assert.equal(await view.locator('#deck > svg').count(), 8);
  await files.write(original.replace('* beta', '* healed'));
  await view.locator('#fd-problems').waitFor({ state: 'hidden' });
  await onSlide(guest, 'li:has-text("healed")').waitFor({ state: 'attached' });
  assert.deepEqual(guests.errors, []);
  await guests.close();
});

test('a window that was hidden is up to date when it is seen again', async () => {
  const page = await deck('#2');
  const cover = await context.newPage();
  await cover.goto('about:blank');
  await cover.bringToFront();
  await files.write(original.replace('* gamma', '* meanwhile'));
  await page.bringToFront();
  await onSlide(page, 'li:has-text("meanwhile")').waitFor({ state: 'attached' });
});

test('from a saved edit to pixels', async () => {
  const page = await deck('#6');
  const rounds = Number(process.env.ROUNDS ?? 15);
  const times = [];
  for (let i = 0; i < rounds; i += 1) {
    const seen = page.evaluate((word) => new Promise((resolve) => {
      const look = () => {
        if (document.querySelector('#deck > svg.bespoke-marp-active').textContent.includes(word)) {
          // The frame after the change has been drawn.
          requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => resolve(Date.now()); channel.port2.postMessage(0); });
        } else requestAnimationFrame(look);
      };
      look();
    }), `edit-${i}`);
    const text = original.replace('pomegranate', `edit-${i}`);
    const start = Date.now();
    await files.write(text);
    times.push(await seen - start);
  }
  times.sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  console.log(`# saved edit to pixels: median ${median} ms, fastest ${times[0]} ms, slowest ${times.at(-1)} ms, ${rounds} edits`);
  // The target is 50 ms on a quiet machine; a busy one must still be prompt.
  assert.ok(median < 250, `median ${median} ms`);
});
