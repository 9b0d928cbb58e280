// axe-core finds nothing serious or critical in any page that people see, light and dark.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { arrives, connected, foredeck, launch, machine, open, press, project, serve } from './harness.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const START = 60_000;
const SCHEMES = ['light', 'dark'];

/** A talk with what slides can have: code, tables, pictures, panels, steps, lists, quotes, formulas. */
const TALK = `---
theme: gitops
lang: en
paginate: true
footer: A talk
---

# A talk

By *somebody* with a [link](https://example.org)

---

## Code

\`\`\`yaml {1|2-3}
apiVersion: v1 # a comment
kind: ConfigMap
data: {key: "value", number: 3}
\`\`\`

Text with \`code\` in it, and $x^2$.

---

## A table

| Name | State |
|------|-------|
| one  | fine  |

> A quote

---

## Live

\`\`\`panel pods namespace=demo title="Pods" id=pods
NAME      READY   STATUS    AGE
podinfo   1/1     Running   41s
\`\`\`

\`\`\`sh {run name=look}
kubectl get pods
\`\`\`

<!--
Say something.

If it fails: go on.
-->

---

## A question

\`\`\`panel poll "Which one?" push pull
\`\`\`

---

* One
* Two
`;

let files, server, browser, context;

before(async () => {
  files = await project();
  await files.write(TALK);
  browser = await launch();
  server = await serve(files.root);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await files?.remove();
});
afterEach(async () => {
  await context?.close();
  context = null;
});

/** What axe finds, as lines: rule, element, why. */
async function findings(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, impact, nodes }) =>
      nodes.slice(0, 5).map((node) => `${where}: ${impact} ${id} ${node.target.join(' ')}\n    ${node.failureSummary.replace(/\n/g, '\n    ')}`));
}

/** Looks at a page in every colour scheme; a still page, so that nothing is half faded in. */
async function everyScheme(look) {
  const found = [];
  for (const colorScheme of SCHEMES) {
    context = await machine(browser, { colorScheme, reducedMotion: 'reduce' });
    found.push(...(await look(colorScheme)));
    await context.close();
    context = null;
  }
  assert.deepEqual(found, []);
}

async function slides(page, where, count = 6) {
  const found = [];
  for (let slide = 1; slide <= count; slide += 1) {
    await page.evaluate((number) => { location.hash = `#${number}`; }, slide);
    await page.waitForFunction((index) => [...document.querySelectorAll('svg[data-marpit-svg]')][index]?.classList.contains('bespoke-marp-active'), slide - 1);
    found.push(...(await findings(page, `${where} slide ${slide}`)));
  }
  return found;
}

test('the index', () => everyScheme(async (scheme) => {
  const page = await context.newPage();
  await page.goto(server.base);
  await page.waitForSelector('a[href*="/d/"]');
  return findings(page, `index, ${scheme}`);
}));

test('the player, its overview and its help', () => everyScheme(async (scheme) => {
  const page = await open(context, server.talk);
  await connected(page);
  const found = await slides(page, `player, ${scheme}`);
  await press(page, 'o');
  found.push(...(await findings(page, `overview, ${scheme}`)));
  await press(page, 'Escape', '?');
  await page.waitForSelector('dialog[open]');
  found.push(...(await findings(page, `help, ${scheme}`)));
  return found;
}));

test('the audience', () => everyScheme(async (scheme) => {
  const page = await open(context, `${server.base}/a`);
  await connected(page);
  return findings(page, `audience, ${scheme}`);
}));

test('the presenter view', () => everyScheme(async (scheme) => {
  const page = await context.newPage();
  await page.goto(server.presenter);
  await page.goto(`${server.talk}?view=presenter`);
  await page.waitForSelector('html[data-ready="true"]');
  await connected(page);
  const found = await findings(page, `presenter, ${scheme}`);
  await press(page, 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight');
  found.push(...(await findings(page, `presenter with steps, ${scheme}`)));
  return found;
}));

test('the remote', () => everyScheme(async (scheme) => {
  const page = await context.newPage();
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(server.remote);
  await page.waitForSelector('button');
  return findings(page, `remote, ${scheme}`);
}));

/** A server of the workshop in a folder of its own, as long as `work` takes; what it printed is given to that. */
async function withWorkshop(flags, address, work) {
  const folder = await mkdtemp(join(tmpdir(), 'foredeck-axe-'));
  const child = spawn(process.env.FOREDECK, ['workshop', ...flags, '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  try {
    const printed = await new Promise((resolve, reject) => {
      let text = '';
      const failed = () => reject(new Error(`the workshop printed no address:\n${text}`));
      const timer = setTimeout(failed, START);
      const read = (chunk) => {
        text += chunk;
        if (address.test(text)) {
          clearTimeout(timer);
          resolve(text);
        }
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('exit', failed);
    });
    await work(printed);
  } finally {
    child.kill('SIGINT');
    await gone;
    await rm(folder, { recursive: true, force: true });
  }
}

test('the workshop', async () => {
  const link = /http:\/\/[^\s"]+\/w\/\?t=[^\s"]+/;
  await withWorkshop(['start'], link, (printed) => everyScheme(async (scheme) => {
    const page = await context.newPage();
    await page.goto(link.exec(printed)[0]);
    await page.waitForSelector('main');
    const found = await findings(page, `workshop, ${scheme}`);
    const step = await page.evaluate(() => [...document.querySelectorAll('a[href*="/w/"]')].map((link) => link.href).find((href) => /\/w\/[^?]/.test(href)));
    assert.ok(step, 'the workshop has a step');
    await page.goto(step);
    await page.waitForSelector('main');
    found.push(...(await findings(page, `step of the workshop, ${scheme}`)));
    return found;
  }));
});

test('a room of learners', async () => {
  const link = (what) => new RegExp(`http://[^\\s"]+/${what}\\?[^\\s"]+`);
  await withWorkshop(['serve', '--json'], /"shells"[^}]*}/, (printed) => everyScheme(async (scheme) => {
    const found = [];
    const trainer = await context.newPage();
    await trainer.goto(link('trainer').exec(printed)[0]);
    await trainer.evaluate(() => { document.querySelector('[data-join]').open = true; });
    found.push(...(await findings(trainer, `trainer alone, ${scheme}`)));
    const page = await context.newPage();
    await page.goto(link('join').exec(printed)[0]);
    found.push(...(await findings(page, `joining, ${scheme}`)));
    await page.getByRole('button', { name: 'Join' }).click();
    await page.waitForURL('**/w/');
    await page.locator('.fd-steps a').first().click();
    found.push(...(await findings(page, `a learner whose sandbox starts, ${scheme}`)));
    await trainer.waitForSelector('tr[data-id]');
    found.push(...(await findings(trainer, `trainer, ${scheme}`)));
    return found;
  }));
});

test('an exported file', async () => {
  const file = join(files.root, 'talk.html');
  await foredeck('export', files.deck, '-o', file, '--with-notes');
  await everyScheme(async (scheme) => {
    const page = await open(context, `file://${file}`);
    const found = await slides(page, `file, ${scheme}`);
    await page.goto(`file://${file}?view=presenter`);
    await page.waitForSelector('html[data-ready="true"]');
    found.push(...(await findings(page, `presenter of a file, ${scheme}`)));
    return found;
  });
});

test('a serious mistake would be found', async () => {
  context = await machine(browser);
  const page = await open(context, server.talk);
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<button id="nameless"></button>'));
  const found = await findings(page, 'player');
  assert.ok(found.some((line) => line.includes('button-name #nameless')), found.join('\n'));
});
