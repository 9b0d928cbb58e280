// Starts the binary and Chromium; says where a page is. Nothing here sleeps: it waits for what should happen.

import { spawn, execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);
const here = new URL('.', import.meta.url).pathname;
const DEADLINE = 10_000;

/** A folder with copies of the decks. */
export async function project() {
  const root = await mkdtemp(join(tmpdir(), 'foredeck-browser-'));
  await cp(join(here, 'decks'), join(root, 'decks'), { recursive: true });
  const deck = join(root, 'decks', 'talk.md');
  return {
    root,
    deck,
    read: () => readFile(deck, 'utf8'),
    write: (text) => writeFile(deck, text),
    /** As editors do that write beside the file and rename. */
    async replace(text) {
      await writeFile(`${deck}.new`, text);
      await rename(`${deck}.new`, deck);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A server for a project; `base`, `presenter` and `remote` are the addresses it printed. */
export async function serve(root, { flags = [], env = {} } = {}) {
  const child = spawn(process.env.FOREDECK, ['present', '--no-open', '--port', '0', ...flags, root], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } });
  const urls = await new Promise((resolve, reject) => {
    let text = '';
    const failed = () => reject(new Error(`the server printed no addresses:\n${text}`));
    const timer = setTimeout(failed, DEADLINE);
    const read = (chunk) => {
      text += chunk;
      const presenter = /(http:\/\/[^\s"]+)\/p\?t=[^\s"]+/.exec(text);
      const remote = /http:\/\/[^\s"]+\/r\?t=[^\s"]+/.exec(text);
      if (!presenter || !remote) return;
      clearTimeout(timer);
      resolve({ base: presenter[1], presenter: presenter[0], remote: remote[0].replace(/^http:\/\/[^/]+/, presenter[1]) });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', failed);
  });
  return {
    ...urls,
    pid: child.pid,
    talk: `${urls.base}/d/talk/`,
    other: `${urls.base}/d/other/`,
    async stop() {
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      const hard = setTimeout(() => child.kill('SIGKILL'), 6000);
      await gone;
      clearTimeout(hard);
    },
  };
}

/** Runs the binary to its end. */
export async function foredeck(...args) {
  return run(process.env.FOREDECK, args, { maxBuffer: 64 << 20 });
}

/** Chromium, or one that another test already started. */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A separate machine: own cookies and storage. Collects errors of all its pages in `errors`. */
export async function machine(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  context.setDefaultTimeout(DEADLINE);
  context.errors = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => context.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') context.errors.push(message.text());
    });
  });
  return context;
}

/** Opens an address and waits until the player runs. */
export async function open(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await ready(page);
  return page;
}

export async function ready(page) {
  await page.waitForSelector('html[data-ready="true"]');
}

/** `slide.fragment` that is on screen, slide from 1, read from the DOM. */
export function at(page) {
  return page.evaluate(() => {
    const slides = [...document.querySelectorAll('#deck > svg[data-marpit-svg]')];
    const index = slides.findIndex((slide) => slide.classList.contains('bespoke-marp-active'));
    return `${index + 1}.${new Set([...slides[index].querySelectorAll('[data-bespoke-marp-fragment="active"]')].map((item) => item.dataset.marpitFragment)).size}`;
  });
}

/** Waits until `slide.fragment` is on screen. */
export async function arrives(page, wanted) {
  const deadline = Date.now() + DEADLINE;
  let seen = null;
  while (Date.now() < deadline) {
    seen = await at(page);
    if (seen === wanted) return;
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  throw new Error(`on screen is ${seen}, not ${wanted}, at ${page.url()}`);
}

/** Presses keys one after the other. */
export async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

/** Waits for an attribute of the root element. */
export async function rootHas(page, name, value) {
  await page.waitForFunction(([key, wanted]) => document.documentElement.getAttribute(key) === wanted, [name, value]);
}

/** Waits until the page's connection is open, so that nothing it should hear is missed. */
export async function connected(page) {
  await page.waitForFunction(() => document.querySelector('.fd-status')?.dataset.status === 'open' || document.documentElement.dataset.link === 'open');
}

/** Text of an element on the active slide. */
export function onSlide(page, selector) {
  return page.locator(`#deck > svg.bespoke-marp-active ${selector}`);
}
