// What a recorded run showed at a moment: found by halves, put together from what changed.

/** The index of the last entry at or before a moment; -1 before the first. Entries begin with their moment. */
export function indexAt(list, at) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][0] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Pictures of a panel: `[moment, html or [kept at the start, kept at the end, between], time]`. */
export class Frames {
  #list;
  #index = -1;
  #html = '';

  constructor(list) {
    this.#list = list;
  }

  /** Index, HTML and time of the picture that is shown at a moment; null before the first. */
  at(moment) {
    const index = indexAt(this.#list, moment);
    if (index < 0) return null;
    if (index !== this.#index) {
      // Forward from where we are, else from the whole picture before.
      let from = this.#index < index ? this.#index + 1 : index;
      if (this.#index > index) while (typeof this.#list[from][1] !== 'string') from -= 1;
      for (let next = from; next <= index; next += 1) this.#apply(this.#list[next][1]);
      this.#index = index;
    }
    return { index, html: this.#html, time: this.#list[index][2] };
  }

  #apply(change) {
    if (typeof change === 'string') this.#html = change;
    else {
      const [before, after, between] = change;
      this.#html = this.#html.slice(0, before) + between + this.#html.slice(this.#html.length - after);
    }
  }
}

/**
 * What to write into a terminal that shows the moment `shown` (null: nothing yet) to make it show `at`:
 * `{ size, anew, text }`. Entries are `[moment, text]`, `[moment, null]` for anew, `[moment, [columns, rows]]`.
 */
export function terminalNews(list, shown, at) {
  const end = indexAt(list, at);
  let from = shown === null || at < shown ? 0 : indexAt(list, shown) + 1;
  let anew = from === 0;
  let size = null;
  for (let index = end; index >= from; index -= 1) {
    if (list[index][1] === null) {
      from = index + 1;
      anew = true;
      break;
    }
  }
  let text = '';
  for (let index = 0; index <= end; index += 1) {
    const what = list[index][1];
    if (Array.isArray(what)) size = what;
    else if (index >= from && typeof what === 'string') text += what;
  }
  return { size, anew, text };
}
