// What anybody can do with a deck page: move, jump, search, look.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { arrives, at, launch, machine, onSlide, open, press, project, ready, rootHas, serve } from './harness.mjs';

let files, server, browser, context;

before(async () => {
  files = await project();
  server = await serve(files.root);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await files?.remove();
});

async function deck(path = '', options = {}) {
  context = await machine(browser, options);
  return open(context, server.talk + path);
}
afterEach(async () => {
  const errors = context?.errors ?? [];
  await context?.close();
  context = null;
  assert.deepEqual(errors, []);
});

test('keys move through fragments and slides', async () => {
  const page = await deck();
  assert.equal(await at(page), '1.0');
  const walk = [['ArrowRight', '2.0'], ['Space', '2.1'], ['PageDown', '2.2'], ['ArrowDown', '2.3'], ['ArrowRight', '3.0'],
    ['ArrowLeft', '2.3'], ['PageUp', '2.2'], ['Shift+Space', '2.1'], ['ArrowUp', '2.0'], ['ArrowLeft', '1.0'],
    ['End', '8.0'], ['ArrowRight', '8.0'], ['Home', '1.0'], ['ArrowLeft', '1.0']];
  for (const [key, wanted] of walk) {
    await press(page, key);
    await arrives(page, wanted);
  }
});

test('Shift completes a slide, then skips fragments', async () => {
  const page = await deck();
  const walk = [['ArrowRight', '2.0'], ['Shift+ArrowRight', '2.3'], ['Shift+PageDown', '3.0'], ['Shift+ArrowLeft', '2.3'], ['Shift+ArrowUp', '1.0'], ['Shift+ArrowRight', '2.3']];
  for (const [key, wanted] of walk) {
    await press(page, key);
    await arrives(page, wanted);
  }
});

test('hidden fragments cannot be seen, inactive slides cannot be reached', async () => {
  const page = await deck('#2');
  await press(page, 'ArrowRight');
  await arrives(page, '2.1');
  const items = onSlide(page, 'li');
  assert.deepEqual(await items.evaluateAll((all) => all.map((item) => getComputedStyle(item).visibility)), ['visible', 'hidden', 'hidden']);
  assert.equal(await page.locator('[data-bespoke-marp-current-fragment]').textContent(), 'alpha');
  const others = await page.$$eval('#deck > svg:not(.bespoke-marp-active)', (all) => all.map((slide) => [slide.inert, slide.getAttribute('aria-hidden'), getComputedStyle(slide).contentVisibility]));
  assert.equal(others.length, 7);
  for (const other of others) assert.deepEqual(other, [true, 'true', 'hidden']);
});

test('the address names slide and fragment, and a reload keeps them', async () => {
  const page = await deck('?f=2#2');
  await arrives(page, '2.2');
  await press(page, 'ArrowRight');
  await arrives(page, '2.3');
  await page.waitForURL(`${server.talk}?f=3#2`);
  await page.reload();
  await ready(page);
  await arrives(page, '2.3');
  await press(page, 'ArrowRight');
  await page.waitForURL(`${server.talk}#3`);
  const entries = await page.evaluate(() => history.length);
  await press(page, 'ArrowRight', 'ArrowRight');
  await arrives(page, '5.0');
  assert.equal(await page.evaluate(() => history.length), entries, 'moving replaces the history entry');
});

test('odd addresses land somewhere sensible', async () => {
  for (const [path, wanted] of [['#0', '1.0'], ['#99', '8.0'], ['#3.1', '1.0'], ['#needle', '6.0'], ['?f=9#2', '2.3'], ['?f=x#2', '2.0'], ['#second', '7.2'], ['#%E0', '1.0']]) {
    const page = await deck(path);
    await arrives(page, wanted);
    await context.close();
  }
  await deck();
});

test('links inside the deck jump, and the browser goes back', async () => {
  const page = await deck('#4');
  await onSlide(page, 'a[href="#steps"]').click();
  await arrives(page, '2.0');
  await page.goBack();
  await arrives(page, '4.0');
  await onSlide(page, 'a[href="#second"]').click();
  await arrives(page, '7.2');
});

test('wheel: one step per turn; a swipe turns the page', async () => {
  const page = await deck('', { hasTouch: true });
  await page.mouse.move(600, 300);
  await page.mouse.wheel(0, 100);
  await arrives(page, '2.0');
  const swipe = (x0, x1) => page.evaluate(([from, to]) => {
    const stage = document.querySelector('#deck > svg.bespoke-marp-active');
    const touch = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 300 });
    stage.dispatchEvent(new TouchEvent('touchstart', { touches: [touch(from)], changedTouches: [touch(from)], bubbles: true }));
    stage.dispatchEvent(new TouchEvent('touchend', { touches: [], changedTouches: [touch(to)], bubbles: true }));
  }, [x0, x1]);
  await swipe(500, 300);
  await arrives(page, '2.1');
  await swipe(500, 490);
  await swipe(300, 500);
  await arrives(page, '2.0');
});

test('digits and Enter, and the go-to dialog', async () => {
  const page = await deck();
  await press(page, '6', 'Enter');
  await arrives(page, '6.0');
  await press(page, 'g');
  await page.keyboard.type('3');
  await press(page, 'Enter');
  await arrives(page, '3.0');
});

test('search finds text and goes there', async () => {
  const page = await deck();
  await press(page, '/');
  await page.keyboard.type('pomegranate');
  assert.deepEqual(await page.locator('#fd-hits strong').allTextContents(), ['Needle']);
  assert.deepEqual(await page.locator('#fd-hits mark').allTextContents(), ['pomegranate']);
  await press(page, 'Enter');
  await arrives(page, '6.0');
  await press(page, '/');
  await page.keyboard.type('zzz');
  assert.equal(await page.locator('#fd-search p').textContent(), 'No slide has that');
  await press(page, 'Escape');
  assert.equal(await page.locator('dialog[open]').count(), 0);
  assert.equal(await page.locator('#fd-overview').isHidden(), true, 'Escape closed the dialog and nothing else');
});

test('a key pressed right after a dialog closed is not lost in it', async () => {
  const page = await deck();
  await press(page, '/');
  await page.keyboard.type('pomegranate');
  // In one task: no frame comes between them that would move the focus.
  await page.evaluate(() => {
    const input = document.querySelector('#fd-search input');
    for (const key of ['Enter', 'ArrowRight']) input.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true }));
  });
  await arrives(page, '7.0');
});

test('overview with the keyboard and the mouse', async () => {
  const page = await deck();
  await press(page, 'o');
  await page.waitForSelector('#fd-overview:not([hidden])');
  assert.equal(await page.locator('#fd-overview [role="listitem"]').count(), 8);
  const look = (item) => { const style = getComputedStyle(item); return [style.display, style.contentVisibility, style.fontSize, style.textAlign, style.listStyleType, style.color].join(); };
  await page.waitForSelector('#fd-overview .marpit li');
  assert.equal(await page.locator('#fd-overview .marpit li').first().evaluate(look), await page.locator('#deck li').first().evaluate(look), 'copies look like the slides');
  await press(page, 'ArrowRight', 'Enter');
  await page.waitForSelector('#fd-overview', { state: 'hidden' });
  await arrives(page, '2.3');
  await press(page, 'Escape');
  await page.locator('#fd-overview [role="listitem"]').nth(5).click();
  await arrives(page, '6.0');
  await press(page, 'Escape', 'Escape');
  await page.waitForSelector('#fd-overview', { state: 'hidden' });
  const direct = await open(context, `${server.talk}?view=overview`);
  await direct.waitForSelector('#fd-overview:not([hidden])');
});

test('black and white, and the slide that was hidden comes back first', async () => {
  const page = await deck();
  await press(page, 'b');
  await rootHas(page, 'data-screen', 'black');
  assert.equal(await page.locator('#fd-cover').evaluate((cover) => getComputedStyle(cover).backgroundColor), 'rgb(0, 0, 0)');
  await press(page, 'ArrowRight');
  await rootHas(page, 'data-screen', 'live');
  assert.equal(await at(page), '1.0');
  await press(page, 'w');
  await rootHas(page, 'data-screen', 'white');
  await press(page, 'w');
  await rootHas(page, 'data-screen', 'live');
});

test('clickers: F5 never reloads, the dot is black', async () => {
  const page = await deck('#3');
  await page.evaluate(() => { window.sameDocument = true; });
  await press(page, 'F5', '.');
  await rootHas(page, 'data-screen', 'black');
  await press(page, '.', 'PageDown');
  await arrives(page, '4.0');
  assert.equal(await page.evaluate(() => window.sameDocument), true);
});

test('zoom goes in at the pointer and out again', async () => {
  const page = await deck();
  await page.mouse.move(320, 180);
  await press(page, 'z');
  await page.waitForFunction(() => new DOMMatrix(getComputedStyle(document.getElementById('deck')).transform).a === 2);
  assert.equal(await page.evaluate(() => document.getElementById('deck').style.transformOrigin), '320px 180px');
  await press(page, 'Escape');
  await page.waitForFunction(() => getComputedStyle(document.getElementById('deck')).transform === 'none');
});

test('a fitting heading fills the width, long code shrinks', async () => {
  const page = await deck();
  const heading = await onSlide(page, 'h1').evaluate((h1) => {
    const section = h1.closest('section').getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(h1);
    return { text: range.getBoundingClientRect().width / section.width, box: h1.getBoundingClientRect().width / section.width };
  });
  assert.ok(heading.text > 0.8 && heading.text <= heading.box + 0.01, JSON.stringify(heading));
  await press(page, 'End', 'Home', '3', 'Enter');
  await arrives(page, '3.0');
  await page.waitForFunction(() => {
    const code = document.querySelector('#deck > svg.bespoke-marp-active marp-pre code');
    const range = document.createRange();
    range.selectNodeContents(code);
    const box = range.getBoundingClientRect();
    const section = code.closest('section').getBoundingClientRect();
    return box.left >= section.left && box.right <= section.right && box.width > section.width * 0.7;
  });
});

test('everything with the keyboard alone; focus is visible; slides are announced', async () => {
  const page = await deck();
  const seen = [];
  for (let i = 0; i < 12; i += 1) {
    await press(page, 'Tab');
    seen.push(await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      return { label: element.getAttribute('aria-label') ?? element.textContent.trim(), ring: element === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) };
    }));
  }
  for (const label of ['Next slide', 'Overview', 'Search', 'Fullscreen', 'Keys']) assert.ok(seen.some((item) => item.label === label), `${label} in ${JSON.stringify(seen)}`);
  assert.ok(seen.every((item) => item.ring), JSON.stringify(seen));
  await page.locator('#fd-osc [data-do="next"]').focus();
  await press(page, 'Enter');
  await arrives(page, '2.0');
  assert.equal(await page.locator('#fd-announcer').textContent(), 'Slide 2 of 8: Steps');
  await press(page, 'ArrowRight');
  await arrives(page, '2.1');
  assert.equal(await page.locator('#fd-announcer').textContent(), 'alpha');
  const slide = page.locator('#deck > svg.bespoke-marp-active');
  assert.equal(await slide.getAttribute('aria-label'), '2 of 8: Steps');
  await press(page, '?');
  await page.waitForSelector('#fd-help[open]');
  const keys = await page.locator('#fd-help kbd').allTextContents();
  for (const key of ['b', 's', 'q', 'F5', '/', '?']) assert.ok(keys.includes(key), key);
  await press(page, 'Escape', 'ArrowRight');
  await arrives(page, '2.2');
});

test('transitions run, and are a plain fade for those who asked for calm', async () => {
  const note = () => {
    window.seen = [];
    const start = document.startViewTransition.bind(document);
    document.startViewTransition = (apply) => {
      window.seen.push(document.documentElement.dataset.transition);
      return start(apply);
    };
  };
  const page = await deck('#6');
  await page.evaluate(note);
  await press(page, 'ArrowRight');
  await arrives(page, '7.0');
  await press(page, 'ArrowRight', 'ArrowRight', 'ArrowRight');
  await arrives(page, '8.0');
  await page.waitForFunction(() => !document.documentElement.dataset.transition);
  assert.deepEqual(await page.evaluate(() => window.seen), ['cube']);
  await context.close();
  const calm = await deck('#6', { reducedMotion: 'reduce' });
  await calm.evaluate(note);
  await press(calm, 'ArrowRight');
  await arrives(calm, '7.0');
  assert.deepEqual(await calm.evaluate(() => window.seen), ['calm']);
});

test('a transition moves what it should', async () => {
  const page = await deck('#6');
  await press(page, 'ArrowRight');
  const names = await page.waitForFunction(() => {
    const all = document.getAnimations().filter((animation) => /^::view-transition-(old|new)\(root\)$/.test(animation.effect?.pseudoElement ?? ''));
    return all.length > 0 && all.map((animation) => `${animation.animationName} ${animation.effect.getTiming().duration}`).sort();
  });
  assert.deepEqual(await names.jsonValue(), ['fd-cube-in 300', 'fd-cube-out 300']);
  await arrives(page, '7.0');
});

test('print: one slide per page, every fragment, no interface', async () => {
  const page = await deck('#2');
  await page.emulateMedia({ media: 'print' });
  const seen = await page.$$eval('#deck > svg', (all) => all.map((slide) => [getComputedStyle(slide).visibility, getComputedStyle(slide).position]));
  assert.deepEqual(new Set(seen.map(String)), new Set(['visible,static']));
  assert.deepEqual(await onSlide(page, 'li').evaluateAll((all) => all.map((item) => getComputedStyle(item).visibility)), ['visible', 'visible', 'visible']);
  assert.equal(await page.locator('#fd-osc').isVisible(), false);
  const pdf = await page.pdf({ preferCSSPageSize: true });
  assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g).length, 8);
});

test('the index lists the decks and filters them', async () => {
  context = await machine(browser);
  const page = await context.newPage();
  await page.goto(server.base);
  assert.deepEqual((await page.locator('#fd-decks strong').allTextContents()).sort(), ['The other talk', 'The talk']);
  await press(page, '/');
  await page.keyboard.type('other');
  assert.equal(await page.locator('#fd-decks > li:visible').count(), 1);
  await press(page, 'Enter');
  await page.waitForURL(server.other);
});

test('a page that is not there says so kindly', async () => {
  context = await machine(browser);
  const page = await context.newPage();
  const answer = await page.goto(`${server.base}/d/nothing/`);
  assert.equal(answer.status(), 404);
  assert.match(await page.locator('.fd-code').textContent(), /404/);
  context.errors.length = 0;
});
