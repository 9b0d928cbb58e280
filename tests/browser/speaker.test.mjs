// Speaker, audience and phone: several windows, several machines, one talk.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { arrives, at, connected, launch, machine, open, press, project, ready, rootHas, serve } from './harness.mjs';

let files, server, browser, machines;

before(async () => {
  files = await project();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await files?.remove();
});
// A server per test: the talk's state is the server's.
beforeEach(async () => {
  server = await serve(files.root);
  machines = [];
});
afterEach(async () => {
  const errors = machines.flatMap((context) => context.errors);
  for (const context of machines) await context.close();
  await server.stop();
  assert.deepEqual(errors.filter((text) => !/ERR_CONNECTION|ERR_INCOMPLETE|ERR_NETWORK/.test(text)), []);
});

async function newMachine(options) {
  const context = await machine(browser, options);
  machines.push(context);
  return context;
}

/** The presenter view, on the talk. */
async function speaker(options) {
  const context = await newMachine(options);
  const page = await context.newPage();
  await page.goto(server.presenter);
  await page.goto(`${server.talk}?view=presenter`);
  await ready(page);
  await connected(page);
  return page;
}

/** Sends the first move, so that this deck is the one that is on. */
async function begin(page) {
  await press(page, 'ArrowRight', 'ArrowLeft');
  await arrives(page, '1.0');
}

async function audience(options) {
  const page = await open(await newMachine(options), `${server.base}/a`);
  await connected(page);
  return page;
}

test('the presenter view shows notes, what comes next, plan, clock and timer', async () => {
  const page = await speaker();
  assert.match(await page.title(), /^\[Presenter view\] /);
  assert.equal(await page.locator('.fd-notes strong').textContent(), 'hello');
  assert.match(await page.locator('.fd-runbook').textContent(), /^If it fails:/);
  assert.equal(await page.locator('.fd-next-label').textContent(), 'Next: Steps');
  await press(page, 'ArrowRight');
  assert.equal(await page.locator('.fd-next-label').textContent(), 'Next: step 1 of 3');
  assert.deepEqual(await page.locator('.fd-next-slide li').evaluateAll((all) => all.map((item) => item.dataset.bespokeMarpFragment)), ['active', 'inactive', 'inactive']);
  assert.equal(await page.locator('.fd-notes').textContent().then((text) => text.trim()), 'Three steps.');
  await press(page, 'End');
  assert.equal(await page.locator('.fd-next-label').textContent(), 'End of the deck');
  const before = await page.locator('.fd-notes').evaluate((notes) => parseFloat(getComputedStyle(notes.firstElementChild ?? notes).fontSize));
  await press(page, '+', '+');
  const later = await page.locator('.fd-notes').evaluate((notes) => parseFloat(getComputedStyle(notes.firstElementChild ?? notes).fontSize));
  assert.equal((later / before).toFixed(2), '1.44');
  await press(page, 't');
  await page.waitForFunction(() => document.querySelector('.fd-timer').dataset.running === 'true');
  await page.waitForFunction(() => document.querySelector('.fd-timer').textContent === '0:02');
  await press(page, 't');
  await page.waitForFunction(() => document.querySelector('.fd-timer').dataset.running === 'false');
  await page.locator('[data-do="timerReset"]').click();
  await page.waitForFunction(() => document.querySelector('.fd-timer').textContent === '0:00');
  const split = page.locator('[role="separator"]');
  await split.focus();
  const width = await split.getAttribute('aria-valuenow');
  await press(page, 'ArrowLeft');
  assert.equal(Number(await split.getAttribute('aria-valuenow')), Number(width) - 2);
});

test('two windows of one browser move together', async () => {
  const view = await speaker();
  await begin(view);
  const wall = await open(view.context(), server.talk);
  await connected(wall);
  await arrives(wall, '1.0');
  await press(view, 'ArrowRight', 'ArrowRight');
  await arrives(wall, '2.1');
  await press(wall, 'ArrowRight');
  await arrives(view, '2.2');
  await press(view, 'b');
  await rootHas(wall, 'data-screen', 'black');
  await press(view, 'b');
  await rootHas(wall, 'data-screen', 'live');
});

test('p opens the presenter view', async () => {
  const view = await speaker();
  await begin(view);
  const wall = await open(view.context(), `${server.talk}#3`);
  await connected(wall);
  await arrives(view, '3.0');
  const [popup] = await Promise.all([view.context().waitForEvent('page'), press(wall, 'p')]);
  await ready(popup);
  assert.match(popup.url(), /view=presenter/);
  await arrives(popup, '3.0');
});

test('a fast run of keys arrives whole on another machine', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience();
  for (let i = 0; i < 9; i += 1) await press(view, 'ArrowRight');
  await arrives(view, '7.0');
  await arrives(far, '7.0');
});

test('the audience follows, browses away and comes back', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience();
  await press(view, '5', 'Enter');
  await arrives(far, '5.0');
  const pill = far.locator('#fd-live');
  assert.equal(await pill.isVisible(), false);
  await press(far, 'ArrowLeft');
  await arrives(far, '4.0');
  await pill.waitFor({ state: 'visible' });
  await press(view, 'ArrowRight');
  await arrives(view, '6.0');
  assert.equal(await at(far), '4.0');
  await pill.click();
  await arrives(far, '6.0');
  await pill.waitFor({ state: 'hidden' });
  await press(view, 'ArrowRight');
  await arrives(far, '7.0');
  await press(view, 'b');
  await rootHas(far, 'data-screen', 'black');
  assert.equal(await at(view), '7.0');
});

test('who only looks moves nobody', async () => {
  const view = await speaker();
  await begin(view);
  const guest = await open(await newMachine(), server.talk);
  await press(guest, '4', 'Enter');
  await arrives(guest, '4.0');
  await press(view, 'ArrowRight');
  await arrives(view, '2.0');
  assert.equal(await at(guest), '4.0');
  assert.equal(await guest.evaluate(() => document.getElementById('foredeck-boot').textContent.includes('notes_html')), false);
  const answer = await guest.goto(`${server.talk}?view=presenter`);
  assert.equal(answer.status(), 403);
  guest.context().errors.length = 0;
});

test('the audience goes along to another deck', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience();
  const second = await view.context().newPage();
  await second.goto(`${server.other}?view=presenter`);
  await ready(second);
  await connected(second);
  await press(second, 'ArrowRight');
  await arrives(second, '2.0');
  await far.waitForURL(/\/d\/other\//);
  await ready(far);
  await arrives(far, '2.0');
});

test('freeze holds the audience while the speaker looks ahead', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience();
  await arrives(far, '1.0');
  await press(view, 'k');
  await rootHas(view, 'data-freeze', 'true');
  await press(view, '6', 'Enter');
  await arrives(view, '6.0');
  await rootHas(far, 'data-freeze', 'true');
  assert.equal(await at(far), '1.0');
  await press(view, 'k');
  await arrives(far, '6.0');
});

test('zoom and laser reach the audience in shares of the slide', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience({ viewport: { width: 1000, height: 1000 } });
  const box = await view.locator('#fd-stage').boundingBox();
  await press(view, 'l');
  await view.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await far.locator('#fd-laser').waitFor({ state: 'visible' });
  const dot = await far.locator('#fd-laser').evaluate((spot) => { const place = new DOMMatrix(getComputedStyle(spot).transform); return [place.e, place.f]; });
  assert.ok(Math.abs(dot[0] - 500) < 12 && Math.abs(dot[1] - 500) < 12, String(dot));
  await press(view, 'l');
  await far.locator('#fd-laser').waitFor({ state: 'hidden' });
  await press(view, 'z');
  await far.waitForFunction(() => document.documentElement.hasAttribute('data-zoomed'));
  await press(view, 'z');
  await far.waitForFunction(() => !document.documentElement.hasAttribute('data-zoomed'));
});

test('the phone drives the talk and shows the notes', async () => {
  const view = await speaker();
  await begin(view);
  const far = await audience();
  const phone = await (await newMachine({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true })).newPage();
  await phone.goto(server.remote);
  await phone.waitForSelector('#fd-notes strong');
  assert.equal(await phone.locator('#fd-notes strong').textContent(), 'hello');
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= 360), true, 'nothing sticks out');
  for (const name of ['next', 'previous', 'black', 'laser']) {
    const area = await phone.locator(`[data-do="${name}"]`).boundingBox();
    assert.ok(area.height >= 44 && area.y + area.height <= 640, `${name} ${JSON.stringify(area)}`);
  }
  await phone.locator('[data-do="next"]').tap();
  await arrives(view, '2.0');
  await arrives(far, '2.0');
  await phone.locator('[data-do="next"]').tap();
  await arrives(far, '2.1');
  await phone.waitForFunction(() => document.getElementById('fd-page').textContent.includes('step 1 of 3'));
  await phone.locator('[data-do="previous"]').tap();
  await arrives(far, '2.0');
  await phone.locator('[data-do="black"]').tap();
  await rootHas(far, 'data-screen', 'black');
  await phone.locator('[data-do="black"]').tap();
  await rootHas(far, 'data-screen', 'live');
  await phone.locator('#fd-timer').tap();
  await view.waitForFunction(() => document.querySelector('.fd-timer').dataset.running === 'true');
});

test('a late joiner sees the present slide; a reload of the speaker keeps it', async () => {
  const view = await speaker();
  await press(view, '2', 'Enter', 'ArrowRight');
  await arrives(view, '2.1');
  const far = await audience();
  await arrives(far, '2.1');
  await view.reload();
  await ready(view);
  await arrives(view, '2.1');
});

test('q shows the audience where to join', async () => {
  const view = await speaker();
  await begin(view);
  const wall = await open(view.context(), server.talk);
  await connected(wall);
  await press(wall, 'q');
  await rootHas(wall, 'data-screen', 'qr');
  await wall.waitForFunction(() => document.querySelector('#fd-cover-qr img').naturalWidth > 0);
  await press(wall, 'Escape');
  await rootHas(wall, 'data-screen', 'live');
  await press(view, 'q');
  await view.waitForSelector('#fd-qr[open]');
  await view.waitForFunction(() => [...document.querySelectorAll('#fd-qr img')].every((image) => image.naturalWidth > 0));
});
