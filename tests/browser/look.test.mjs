// Every kind of panel as the last row sees it: on its slide, large enough, with enough contrast; light and dark, in two
// sizes of screen. With FOREDECK_SHOTS pictures of all of them are left in that folder.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connected, foredeck, launch, machine, onSlide, open, serve } from './harness.mjs';

const here = new URL('.', import.meta.url).pathname;
/** Type on a slide of 1280 by 720; smaller type is not read from the last row. */
const SMALLEST = 16;
const CONTRAST = 4.5;
const SIZES = [{ width: 1280, height: 720 }, { width: 1024, height: 768 }];
/** Panels that show nothing live by themselves: their snapshots are looked at. */
const STILL = ['Releases', 'Terminal'];
const RELEASE = `
---

# The release

\`\`\`sh {run name=release}
sed -i 's/podinfo:6.5.0/podinfo:6.5.1/' deploy/canary.yaml
git commit -qam "podinfo 6.5.1" && git push -q
\`\`\`
`;

let root, server, browser, context, page, told;

const post = (path, body) => page.evaluate(async ([to, what]) => {
  const answer = await fetch(to, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(what) });
  if (!answer.ok) throw new Error(await answer.text());
}, [path, body]);

/** Waits until a panel says something; what it says is in the page whatever slide is shown. */
const says = (kind, text) => page.waitForFunction(([key, wanted]) => [...document.querySelectorAll('figure[data-panel-key]')].some((figure) => figure.dataset.panelKey.startsWith(key) && figure.querySelector('.fd-panel')?.textContent.includes(wanted)), [kind, text], { timeout: 90_000 });

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'foredeck-look-'));
  told = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = join(root, 'state');
  await mkdir(join(root, 'decks'));
  const deck = await readFile(`${here}../decks/panels.md`, 'utf8') + RELEASE;
  await writeFile(join(root, 'decks', 'canary.svg'), await readFile(`${here}../decks/canary.svg`));
  await writeFile(join(root, 'decks', 'light.md'), deck);
  await writeFile(join(root, 'decks', 'dark.md'), deck.replace('theme: gitops', 'theme: gitops\nclass: invert'));
  await foredeck('trust', '--yes', root);
  server = await serve(root);
  browser = await launch();
  context = await machine(browser);
  page = await context.newPage();
  await page.goto(server.presenter);
  await page.goto(`${server.base}/d/light/`);
  await connected(page);
  await says('pods', 'No pods in demo');
  await post('/api/v1/steps/run', { deck: 'light', name: 'deploy' });
  await says('canary', 'Initial');
  await post('/api/v1/clock', { do: 'speed', times: 60 });
  await says('canary', 'Initialized');
  await post('/api/v1/steps/run', { deck: 'light', name: 'release' });
  await says('canary', 'latency');
  await says('canary', 'Progressing');
  await post('/api/v1/canary', { namespace: 'prod', name: 'podinfo', do: 'hold' });
  await post('/api/v1/clock', { do: 'speed', times: 1 });
  await says('http', '200 OK');
});
after(async () => {
  await context?.close();
  await browser?.close();
  await server?.stop();
  if (told === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = told;
  await rm(root, { recursive: true, force: true });
});

/** What is wrong with the panel on the slide that is shown. */
const look = (of, least) => of.evaluate(([smallest, contrast]) => {
  const section = document.querySelector('#deck > svg.bespoke-marp-active section');
  const figure = section.querySelector('figure.foredeck-panel');
  const wrong = [];
  const over = section.scrollHeight - section.clientHeight;
  if (over > 1) wrong.push(`the slide overflows by ${over}`);
  const [outer, inner] = [section.getBoundingClientRect(), figure.getBoundingClientRect()];
  if (inner.bottom > outer.bottom + 1 || inner.right > outer.right + 1) wrong.push('the panel leaves the slide');
  const body = figure.querySelector('.fd-panel');
  if (body && body.firstElementChild.offsetHeight > body.clientHeight + 1 && !body.querySelector('.fd-lines, .fd-moments')) wrong.push('the panel is cut off below');
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over_ = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over_(layer, below), [255, 255, 255, 1]);
  };
  const light = (colour) => colour.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const root = body ?? figure;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const chart = figure.querySelector('.fd-chart');
  const scale = chart ? chart.getBoundingClientRect().width / chart.viewBox.baseVal.width / (outer.width / section.offsetWidth) : 1;
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || element.closest('style, title, progress') || !element.checkVisibility() || element.closest('.fd-mark')) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize) * (element.closest('.fd-chart') ? scale : 1);
    if (size < smallest) wrong.push(`"${text.data.trim().slice(0, 30)}" has ${size.toFixed(1)} px`);
    const back = ground(element);
    const opacity = Number(style.opacity);
    const written = rgba(element instanceof SVGElement ? style.fill : style.color);
    const front = over_([written[0], written[1], written[2], written[3] * opacity], back);
    const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < contrast) wrong.push(`"${text.data.trim().slice(0, 30)}" has a contrast of ${ratio.toFixed(2)}`);
  }
  return wrong;
}, [least, CONTRAST]);

for (const scheme of ['light', 'dark']) {
  for (const viewport of SIZES) {
    test(`every panel can be read, ${scheme}, ${viewport.width}×${viewport.height}`, { timeout: 180_000 }, async () => {
      const guests = await machine(browser, { viewport, reducedMotion: 'reduce' });
      const guest = await open(guests, `${server.base}/d/${scheme}/`);
      await connected(guest);
      const titles = await guest.$$eval('#deck > svg', (slides) => slides.map((slide) => slide.querySelector('h1')?.textContent ?? ''));
      const wrong = [];
      for (const [index, title] of titles.entries()) {
        if (/demo begins|The release/.test(title)) continue;
        await guest.goto(`${server.base}/d/${scheme}/#${index + 1}`);
        await onSlide(guest, STILL.includes(title) ? 'figure.foredeck-panel' : 'figure.foredeck-panel[data-live]').waitFor({ timeout: 30_000 });
        await guest.evaluate(async () => {
          await document.fonts.ready;
          await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        });
        const found = await look(guest, title === 'Terminal' ? 0 : SMALLEST);
        wrong.push(...new Set(found.map((what) => `${title}: ${what}`)));
        if (process.env.FOREDECK_SHOTS) await guest.screenshot({ path: join(process.env.FOREDECK_SHOTS, `${scheme}-${viewport.width}-${String(index + 1).padStart(2, '0')}-${title.toLowerCase().replaceAll(' ', '-')}.png`) });
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(guests.errors, []);
      await guests.close();
    });
  }
}
