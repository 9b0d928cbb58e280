// The deck: which slide, which fragment, and how to move. Knows the slides' DOM and nothing else.

const SLIDE = 'bespoke-marp-slide';
const ACTIVE = 'bespoke-marp-active';
const FRAGMENT = 'data-bespoke-marp-fragment';
const CURRENT = 'data-bespoke-marp-current-fragment';

/** Shows the first `count` fragments of a slide (or a copy of one), hides the others. */
export function showFragments(slide, count) {
  for (const item of slide.querySelectorAll('[data-marpit-fragment]')) {
    const number = Number(item.dataset.marpitFragment);
    item.setAttribute(FRAGMENT, number <= count ? 'active' : 'inactive');
    item.toggleAttribute(CURRENT, number === count);
  }
}

/** How many fragments a slide has. */
export function countFragments(slide) {
  let count = 0;
  for (const section of slide.querySelectorAll('section[data-marpit-fragments]')) {
    count = Math.max(count, Number(section.dataset.marpitFragments) || 0);
  }
  return count;
}

/** The section that holds a slide's content (not its background layers). */
export function content(slide) {
  return slide.querySelector('section[data-marpit-advanced-background="content"]') ?? slide.querySelector('section');
}

/** A quiet copy of a slide for previews: nothing in it plays, is focused or is read aloud. */
export function copySlide(slide, fragments = Infinity) {
  const copy = slide.cloneNode(true);
  copy.classList.remove(ACTIVE, SLIDE);
  for (const name of ['inert', 'aria-hidden', 'role', 'aria-label', 'aria-roledescription']) copy.removeAttribute(name);
  for (const media of copy.querySelectorAll('video, audio')) {
    media.removeAttribute('autoplay');
    media.preload = 'metadata';
    media.muted = true;
  }
  showFragments(copy, fragments);
  return copy;
}

/**
 * Events: `change` (detail: index, fragment, from, cause), `show` (detail: slide) when the slide's DOM is active.
 * `cause` is `user`, `remote`, `url`, `reload` or `start`.
 */
export class Deck extends EventTarget {
  index = 0;
  fragment = 0;
  /** Set by transitions: runs `apply` inside an animation. */
  animate = (apply) => apply();

  constructor(root) {
    super();
    this.root = root;
    this.slides = [...root.children];
    this.#counts = new Array(this.slides.length);
    this.slides.forEach((slide) => this.#prepare(slide));
  }

  #counts;
  #shown = null;

  #prepare(slide) {
    slide.classList.add(SLIDE);
    slide.inert = true;
    slide.setAttribute('aria-hidden', 'true');
  }

  get count() {
    return this.slides.length;
  }

  get current() {
    return this.slides[this.index];
  }

  /** Number of fragments of slide `index`. */
  fragments(index = this.index) {
    if (!this.slides[index]) return 0;
    return (this.#counts[index] ??= countFragments(this.slides[index]));
  }

  get atStart() {
    return this.index === 0 && this.fragment === 0;
  }

  get atEnd() {
    return this.index === this.count - 1 && this.fragment >= this.fragments();
  }

  /** The position one step on, or null at the end. */
  following() {
    if (this.fragment < this.fragments()) return { index: this.index, fragment: this.fragment + 1 };
    if (this.index < this.count - 1) return { index: this.index + 1, fragment: 0 };
    return null;
  }

  next({ skip = false } = {}) {
    if (skip) {
      if (this.fragment < this.fragments()) return this.go(this.index, Infinity);
      return this.index < this.count - 1 && this.go(this.index + 1, Infinity);
    }
    const to = this.following();
    return Boolean(to) && this.go(to.index, to.fragment);
  }

  previous({ skip = false } = {}) {
    if (!skip && this.fragment > 0) return this.go(this.index, this.fragment - 1);
    if (this.index > 0) return this.go(this.index - 1, Infinity);
    return skip && this.go(0, 0);
  }

  first() {
    return this.go(0, 0);
  }

  last() {
    return this.go(this.count - 1, Infinity);
  }

  /** Goes to a slide (from 0) and fragment; both are brought into range. True when something changed. */
  go(index, fragment = 0, cause = 'user') {
    index = Math.min(Math.max(Math.trunc(index) || 0, 0), this.count - 1);
    fragment = Math.min(Math.max(fragment || 0, 0), this.fragments(index));
    if (index === this.index && fragment === this.fragment && this.#shown) return false;
    const from = { index: this.index, fragment: this.fragment };
    this.index = index;
    this.fragment = fragment;
    const apply = () => this.#apply();
    if (from.index === index || cause === 'start' || cause === 'reload') apply();
    else this.animate(apply, { from: this.slides[from.index], to: this.slides[index], forward: index > from.index, adjacent: Math.abs(index - from.index) === 1 });
    this.dispatchEvent(new CustomEvent('change', { detail: { index, fragment, from, cause } }));
    return true;
  }

  // Reads the position anew: when an animation runs this late, the newest position counts.
  #apply() {
    const slide = this.current;
    if (!slide) return;
    showFragments(slide, this.fragment);
    if (this.#shown === slide) return;
    if (this.#shown) {
      this.#shown.classList.remove(ACTIVE);
      this.#shown.inert = true;
      this.#shown.setAttribute('aria-hidden', 'true');
      for (const media of this.#shown.querySelectorAll('video, audio')) media.pause();
    }
    slide.classList.add(ACTIVE);
    slide.inert = false;
    slide.removeAttribute('aria-hidden');
    this.#shown = slide;
    for (const media of slide.querySelectorAll('video[autoplay], audio[autoplay]')) media.play().catch(() => {});
    this.dispatchEvent(new CustomEvent('show', { detail: { slide } }));
  }

  /** Puts a new list of slides in place; elements that are in both lists stay untouched. */
  replace(slides, index, fragment) {
    const keep = new Set(slides);
    for (const old of this.slides) if (!keep.has(old)) old.remove();
    slides.forEach((slide, i) => {
      if (this.root.children[i] !== slide) this.root.insertBefore(slide, this.root.children[i] ?? null);
      if (!slide.classList.contains(SLIDE)) this.#prepare(slide);
    });
    this.slides = slides;
    this.#counts = new Array(slides.length);
    if (this.#shown && !keep.has(this.#shown)) this.#shown = null;
    const shown = this.#shown;
    this.go(index, fragment, 'reload');
    if (!shown || this.#shown !== this.current) this.#apply();
  }

  /** Index and fragment of the slide that holds the element with this id (or `a[name]`), or null. */
  find(id) {
    if (!id) return null;
    const target = this.root.querySelector(`#${CSS.escape(id)}`) ?? this.root.querySelector(`a[name="${CSS.escape(id)}"]`);
    const index = target ? this.slides.findIndex((slide) => slide.contains(target)) : -1;
    if (index < 0) return null;
    const item = target.closest('[data-marpit-fragment]');
    return { index, fragment: item ? Number(item.dataset.marpitFragment) : 0 };
  }
}
