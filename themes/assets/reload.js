// Live reload: new slides in place of changed ones; slide, fragment, scroll position and focus stay.

import { reuse, whereIs } from './match.js';
import { replaceHosts } from './scaling.js';
import { deckPath } from './url.js';

/** Parses one slide. */
function parse(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content.querySelector('svg[data-marpit-svg]') ?? template.content.firstElementChild;
}

/** Steps from `root` down to `node`: indexes of children. */
function pathTo(node, root) {
  const path = [];
  for (let at = node; at && at !== root; at = at.parentElement) {
    if (!at.parentElement) return null;
    path.unshift([...at.parentElement.children].indexOf(at));
  }
  return path;
}

function follow(path, root) {
  return path.reduce((at, index) => at?.children[index], root) ?? null;
}

/** What a reader changed on a slide: scrolled boxes, opened details, playing media, focus. */
function takeState(slide) {
  const kept = [];
  for (const node of slide.querySelectorAll('*')) {
    const scrolled = node.scrollTop || node.scrollLeft;
    const details = node.localName === 'details';
    const media = node instanceof HTMLMediaElement && (node.currentTime > 0 || !node.paused);
    const focused = node === document.activeElement;
    if (!scrolled && !details && !media && !focused) continue;
    kept.push({
      path: pathTo(node, slide), name: node.localName, top: node.scrollTop, left: node.scrollLeft,
      open: details ? node.open : null, time: media ? node.currentTime : null, playing: media && !node.paused, focused,
    });
  }
  return kept;
}

function giveState(slide, kept) {
  for (const { path, name, top, left, open, time, playing, focused } of kept) {
    const node = path && follow(path, slide);
    if (!node || node.localName !== name) continue;
    if (open !== null) node.open = open;
    if (time !== null) {
      node.currentTime = time;
      if (playing) node.play().catch(() => {});
    }
    if (top || left) node.scrollTo({ top, left, behavior: 'instant' });
    if (focused) node.focus({ preventScroll: true });
  }
}

const FIELDS = ['version', 'size', 'notes', 'notes_html', 'titles', 'texts', 'fragments', 'plan', 'title'];

/** Puts a newer version of the deck in place. `known` and `raw` are the present slides as parsed and as sent. */
class Swapper {
  #known;
  #raw = [];

  constructor({ boot, deck, baseline }) {
    this.boot = boot;
    this.deck = deck;
    this.#known = baseline;
  }

  /** True when the slide on screen now has another number. */
  swap(data) {
    const { boot, deck } = this;
    const style = document.querySelector('style[data-foredeck-slides]');
    if (style && typeof data.css === 'string' && style.textContent !== data.css) style.textContent = data.css;
    const fresh = [];
    const texts = data.slides.map((html, i) => {
      if (this.#raw[i] === html) return this.#known[i];
      fresh[i] = parse(html);
      return fresh[i].outerHTML;
    });
    const old = deck.slides;
    const list = reuse(this.#known, texts).map((from, i) => {
      if (from >= 0 && old[from]) return old[from];
      fresh[i] ??= parse(data.slides[i]);
      replaceHosts(fresh[i]);
      return fresh[i];
    });
    const index = whereIs(deck.index, boot.texts ?? [], data.texts ?? []);
    const kept = list[index] === deck.current ? null : takeState(deck.current);
    this.#known = texts;
    this.#raw = data.slides;
    for (const name of FIELDS) if (name in data) boot[name] = data[name];
    const moved = index !== deck.index;
    deck.replace(list, index, deck.fragment);
    if (kept) giveState(deck.current, kept);
    return moved;
  }
}

/** Fetches and swaps whenever the server has a newer version; one fetch at a time. */
export function installReload({ boot, deck, link, follow: follows, baseline, changed }) {
  const swapper = new Swapper({ boot, deck, baseline });
  const path = `${deckPath(boot.deck)}slides.json`;
  let wanted = boot.version ?? 0;
  let busy = false;

  const load = async () => {
    const answer = await fetch(path, { cache: 'no-cache' });
    if (!answer.ok) throw new Error(`slides.json: ${answer.status}`);
    const data = await answer.json();
    if (!Array.isArray(data.slides) || data.slides.length === 0) return;
    const moved = swapper.swap(data);
    changed();
    follows.settle(moved);
  };

  const want = async (version) => {
    if (!version || version === wanted) return;
    wanted = version;
    if (busy) return;
    busy = true;
    for (let done = null; done !== wanted;) {
      done = wanted;
      try {
        await load();
      } catch {
        // The next state names the version again, and is then worth another try.
        wanted = done = null;
      }
    }
    busy = false;
  };

  const check = () => {
    if (link.state?.deck === boot.deck) want(link.state.deck_version);
  };
  link.addEventListener('reload', ({ detail }) => detail.deck === boot.deck && want(detail.version));
  link.addEventListener('state', check);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && check());
}
