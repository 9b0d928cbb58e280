// Which slides of an edited deck are the old ones: pure, and tested without a browser.

/** Where the slide that was at `index` is now: by place, or moved by what was added or removed before it. */
export function whereIs(index, before, after) {
  const text = before[index];
  if (after[index] === text || text === undefined) return Math.min(index, after.length - 1);
  const shifted = index + after.length - before.length;
  if (shifted !== index && after[shifted] === text) return shifted;
  return Math.min(index, after.length - 1);
}

/** Elements to reuse, by new index: equal ones at both ends, and equal ones in place between. */
export function reuse(before, after) {
  const shared = Math.min(before.length, after.length);
  let head = 0;
  while (head < shared && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shared - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return after.map((text, i) => {
    if (i < head) return i;
    if (i >= after.length - tail) return i - after.length + before.length;
    return i < before.length - tail && before[i] === text ? i : -1;
  });
}
