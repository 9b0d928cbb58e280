// The exported file, opened from disk with no server and no network.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { arrives, at, foredeck, launch, machine, open, press, project, ready, rootHas } from './harness.mjs';

let files, browser, context, file, withNotes;

before(async () => {
  files = await project();
  file = join(files.root, 'talk.html');
  withNotes = join(files.root, 'notes.html');
  await foredeck('export', files.deck, '-o', file);
  await foredeck('export', files.deck, '-o', withNotes, '--with-notes');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await files?.remove();
});
afterEach(async () => {
  const errors = context?.errors ?? [];
  await context?.close();
  assert.deepEqual(errors, []);
});

async function show(path, hash = '') {
  context = await machine(browser, { offline: true });
  context.requests = [];
  context.on('request', (request) => context.requests.push(request.url()));
  return open(context, `file://${path}${hash}`);
}

test('one file, nothing fetched, moves and keeps its place', async () => {
  const page = await show(file);
  await press(page, 'ArrowRight', 'ArrowRight');
  await arrives(page, '2.1');
  await page.reload();
  await ready(page);
  await arrives(page, '2.1');
  await press(page, 'o');
  await page.waitForSelector('#fd-overview .marpit svg');
  await press(page, 'Escape', '/');
  await page.keyboard.type('pomegranate');
  await press(page, 'Enter');
  await arrives(page, '6.0');
  await press(page, 'ArrowRight');
  await arrives(page, '7.0');
  const outside = context.requests.filter((url) => !url.startsWith('data:') && !url.startsWith('blob:') && !url.startsWith(`file://${file}`));
  assert.deepEqual(outside, []);
});

test('headings and code scale in the file', async () => {
  const page = await show(file);
  await page.waitForFunction(() => {
    const heading = document.querySelector('#deck > svg.bespoke-marp-active h1');
    const range = document.createRange();
    range.selectNodeContents(heading);
    return range.getBoundingClientRect().width > heading.closest('section').getBoundingClientRect().width * 0.8;
  });
});

test('notes stay out unless asked for', async () => {
  const plain = await readFile(file, 'utf8');
  const noted = await readFile(withNotes, 'utf8');
  assert.equal(plain.includes('Thank everybody'), false);
  assert.equal(noted.includes('Thank everybody'), true);
  const page = await show(file, '?view=presenter');
  assert.equal(await page.locator('.fd-notes-empty').textContent(), 'This file was exported without notes.');
});

test('presenter view and audience window move together from disk', async () => {
  const wall = await show(withNotes, '#2');
  const [view] = await Promise.all([context.waitForEvent('page'), press(wall, 'p')]);
  await ready(view);
  await arrives(view, '2.0');
  assert.equal((await view.locator('.fd-notes').textContent()).trim(), 'Three steps.');
  await press(view, 'ArrowRight');
  await arrives(wall, '2.1');
  await press(wall, 'ArrowRight');
  await arrives(view, '2.2');
  await press(view, 'b');
  await rootHas(wall, 'data-screen', 'black');
  await press(view, 'b');
  await rootHas(wall, 'data-screen', 'live');
  await press(view, 't');
  await view.waitForFunction(() => document.querySelector('.fd-timer').textContent === '0:01');
  await wall.reload();
  await ready(wall);
  await arrives(wall, '2.2');
  await view.reload();
  await ready(view);
  await press(wall, 'End');
  await arrives(view, '8.0');
  assert.equal(await at(wall), '8.0');
});
