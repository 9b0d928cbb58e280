// The player's pure parts, without a browser; and rules its sources keep.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Frames, indexAt, terminalNews } from '../../themes/assets/frames.js';
import { reuse, whereIs } from '../../themes/assets/match.js';
import { clockText, elapsed, planned, sectionOf } from '../../themes/assets/timer.js';
import { durationMs } from '../../themes/assets/transitions.js';

const assets = new URL('../../themes/assets/', import.meta.url);

test('slides are reused at both ends and in place', () => {
  assert.deepEqual(reuse(['a', 'b', 'c'], ['a', 'b', 'c']), [0, 1, 2]);
  assert.deepEqual(reuse(['a', 'b', 'c'], ['a', 'x', 'c']), [0, -1, 2]);
  assert.deepEqual(reuse(['a', 'b', 'c'], ['a', 'new', 'b', 'c']), [0, -1, 1, 2]);
  assert.deepEqual(reuse(['a', 'b', 'c'], ['c']), [2]);
  assert.deepEqual(reuse(['a', 'b', 'c', 'd'], ['x', 'b', 'y', 'd']), [-1, 1, -1, 3]);
  assert.deepEqual(reuse([], ['a']), [-1]);
  assert.deepEqual(reuse(['a', 'a'], ['a', 'a', 'a']), [0, 1, -1]);
});

test('the slide on screen is found again', () => {
  assert.equal(whereIs(2, ['a', 'b', 'c'], ['a', 'b', 'c']), 2);
  assert.equal(whereIs(2, ['a', 'b', 'c'], ['a', 'n', 'b', 'c']), 3);
  assert.equal(whereIs(2, ['a', 'b', 'c'], ['b', 'c']), 1);
  assert.equal(whereIs(2, ['a', 'b', 'c'], ['a', 'b', 'changed']), 2);
  assert.equal(whereIs(2, ['a', 'b', 'c'], ['a']), 0);
});

test('pictures of a recorded run are put together, in any order', () => {
  const list = [[0, 'a1z'], [10, [1, 1, '2']], [20, [1, 1, '😀3']], [30, 'b', 'virtual time'], [40, [1, 0, 'c']]];
  const shown = [[-1, null], [0, 'a1z'], [9, 'a1z'], [10, 'a2z'], [25, 'a😀3z'], [30, 'b'], [99, 'bc']];
  const frames = new Frames(list);
  for (const [at, html] of shown) assert.equal(frames.at(at)?.html ?? null, html, `at ${at}`);
  for (const [at, html] of shown.toReversed()) assert.equal(frames.at(at)?.html ?? null, html, `back at ${at}`);
  assert.equal(frames.at(35).time, 'virtual time');
  assert.deepEqual([-1, 0, 10, 11, 99].map((at) => indexAt(list, at)), [-1, 0, 1, 1, 4]);
});

test('terminals of a recorded run go on, or begin anew', () => {
  const list = [[0, [80, 24]], [1, 'a'], [2, 'b'], [5, null], [6, 'c'], [7, [100, 30]]];
  assert.deepEqual(terminalNews(list, null, 2), { size: [80, 24], anew: true, text: 'ab' });
  assert.deepEqual(terminalNews(list, 1, 2), { size: [80, 24], anew: false, text: 'b' });
  assert.deepEqual(terminalNews(list, 2, 3), { size: [80, 24], anew: false, text: '' });
  assert.deepEqual(terminalNews(list, 2, 9), { size: [100, 30], anew: true, text: 'c' });
  assert.deepEqual(terminalNews(list, 9, 1), { size: [80, 24], anew: true, text: 'a' });
});

test('times and plans', () => {
  assert.equal(clockText(0), '0:00');
  assert.equal(clockText(65_999), '1:05');
  assert.equal(clockText(3_661_000), '1:01:01');
  assert.equal(elapsed({ running: true, elapsed_ms: 1000, at_ms: 5000 }, 9000), 5000);
  assert.equal(elapsed({ running: false, elapsed_ms: 1000, at_ms: 5000 }, 9000), 1000);
  assert.equal(elapsed(undefined), 0);
  const plan = [{ slide: 1, minutes: 4 }, { slide: 5, minutes: 6 }];
  assert.deepEqual([0, 1, 4, 5, 9].map((slide) => sectionOf(plan, slide)), [-1, 0, 0, 1, 1]);
  assert.deepEqual([0, 1, 3, 5, 8].map((slide) => planned(plan, slide, 8)), [0, 0, 120_000, 240_000, 600_000]);
  assert.equal(planned([{ slide: 0, minutes: null }], 1, 2), null);
  assert.deepEqual(['1s', '500ms', '.5s', ' 2 s', '', '5', undefined].map(durationMs), [1000, 500, 500, 2000, null, null, null]);
});

test('built-in transitions are drawn with keyframes that exist', async () => {
  const css = await readFile(new URL('transitions.css', assets), 'utf8');
  const known = new Set([...css.matchAll(/@keyframes ([\w-]+)/g)].map((match) => match[1]));
  for (const [, used] of css.matchAll(/animation-name: ([\w-]+)/g)) assert.ok(known.has(used), used);
});

test('every module is in the export list, and none can break out of the page it is inlined in', async () => {
  const { files } = JSON.parse(await readFile(new URL('export.json', assets), 'utf8'));
  const read = (name) => readFile(new URL(name, assets), 'utf8');
  const needed = new Set(['player.js']);
  for (const name of needed) {
    for (const [, from] of (await read(name)).matchAll(/\b(?:from|import) '\.\/([^']+)'/g)) needed.add(from);
  }
  assert.deepEqual(files.filter((name) => name.endsWith('.js') && name !== 'boot-inline.js').sort(), [...needed].sort());
  const all = (await readdir(assets)).filter((name) => /\.(js|css)$/.test(name));
  for (const name of files) assert.ok(all.includes(name), name);
  for (const name of all) {
    const text = await read(name);
    assert.doesNotMatch(text, /<\/script|<!--|<\/style/i, name);
    assert.ok(text.split('\n').length <= 400, `${name} is too long`);
    for (const [, from] of text.matchAll(/\bfrom '([^']+)'/g)) assert.match(from, /^\.\/[a-z-]+\.js$/, name);
    assert.doesNotMatch(text, /\beval\(|new Function|https?:\/\/(?!www\.w3\.org)/, name);
  }
});
