// A deck with every kind of panel is an ordinary deck for the real marp-cli. Skipped where its npm package is not
// installed: `MARP_CLI` names its `marp-cli.js`, else it is looked for beside this file.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = new URL('.', import.meta.url).pathname;
const DECK = `${here}../decks/panels.md`;
const cli = process.env.MARP_CLI ?? `${here}node_modules/@marp-team/marp-cli/marp-cli.js`;
const missing = await access(cli).then(() => false, () => `marp-cli is not installed: there is no ${cli}`);

const marp = async (...args) => (await run(process.execPath, [cli, '--no-config-file', '--no-stdin', ...args, DECK, '-o', '-'], { maxBuffer: 64 << 20 })).stdout;

/** Kind and body of every panel fence of the deck. */
async function panels() {
  const deck = await readFile(DECK, 'utf8');
  return [...deck.matchAll(/^```panel (\w+)[^\n]*\n([\s\S]*?)^```$/gm)].map(([, kind, body]) => ({ kind, body }));
}

const plain = (html) => html.replace(/<[^>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&amp;', '&');

test('marp-cli shows every snapshot as a block of code', { skip: missing }, async () => {
  const html = await marp('--template', 'bare');
  const blocks = [...html.matchAll(/<code[^>]*class="language-panel"[^>]*>([\s\S]*?)<\/code>/g)].map(([, code]) => plain(code));
  assert.deepEqual(blocks, (await panels()).map(({ body }) => body));
  assert.match(html, /<img src="canary\.svg" alt="The weight moves in steps of five percent"/);
});

test('nothing of a panel is a note in marp-cli', { skip: missing }, async () => {
  assert.equal((await marp('--notes')).trim().replace(/(?:\n|---)+/g, ''), 'The only note.');
});
