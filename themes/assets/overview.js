// All slides at a glance: a grid of quiet copies, each drawn only while it is near the view.
// No <ol> around them: the browser would draw the slides' own lists as nested ones.

import { copySlide } from './deck.js';

/** Returns { open, toggle(), close(), refresh() }. */
export function installOverview({ deck, boot, view, ratio }) {
  const panel = document.getElementById('fd-overview');
  const list = panel.querySelector('.fd-slides');
  const root = document.documentElement;
  let items = [];
  let before = null;

  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const box = target.querySelector('.fd-thumb');
      if (!isIntersecting) box.replaceChildren();
      else if (!box.firstChild) {
        const slide = deck.slides[Number(target.dataset.index)];
        if (slide) box.append(wrap(copySlide(slide)));
      }
    }
  }, { root: panel, rootMargin: '400px 0px' });

  const wrap = (copy) => {
    const holder = document.createElement('div');
    holder.className = 'marpit';
    holder.inert = true;
    holder.append(copy);
    return holder;
  };

  /** Words that are heard and not seen. */
  const quiet = (words) => {
    const span = document.createElement('span');
    span.className = 'fd-quiet';
    span.textContent = words;
    return span;
  };

  const build = () => {
    watcher.disconnect();
    items = deck.slides.map((_, index) => {
      const item = document.createElement('div');
      item.role = 'listitem';
      item.dataset.index = String(index);
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'fd-overview-item';
      const title = boot.titles?.[index];
      const thumb = document.createElement('span');
      thumb.className = 'fd-thumb';
      thumb.style.aspectRatio = ratio;
      thumb.ariaHidden = 'true';
      const number = document.createElement('span');
      number.className = 'fd-thumb-number';
      number.append(quiet('Slide '), String(index + 1), quiet(title ? `: ${title}` : ''));
      button.append(thumb, number);
      button.addEventListener('click', () => choose(index));
      item.append(button);
      return item;
    });
    list.replaceChildren(...items);
    items.forEach((item) => watcher.observe(item));
    mark();
  };

  const mark = () => items.forEach((item, index) => {
    if (index === deck.index) item.setAttribute('aria-current', 'true');
    else item.removeAttribute('aria-current');
  });

  const focus = (index) => {
    const button = items[Math.min(Math.max(index, 0), items.length - 1)]?.querySelector('button');
    button?.focus({ preventScroll: true });
    button?.scrollIntoView({ block: 'nearest' });
  };

  const choose = (index) => {
    deck.go(index, Infinity);
    close();
  };

  const columns = () => {
    const top = items[0]?.offsetTop;
    const first = items.findIndex((item) => item.offsetTop !== top);
    return first < 1 ? Math.max(items.length, 1) : first;
  };

  panel.addEventListener('keydown', (event) => {
    const at = items.indexOf(document.activeElement?.closest('[data-index]'));
    const across = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }[event.key];
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (across) focus(at + across);
    else if (down) focus(at + down * columns());
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(items.length - 1);
    else if (event.key === 'Escape' || event.key === 'o') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  deck.addEventListener('change', () => !panel.hidden && mark());

  const open = () => {
    before = document.activeElement;
    panel.hidden = false;
    root.dataset.overview = 'open';
    build();
    items[deck.index]?.scrollIntoView({ block: 'center' });
    focus(deck.index);
  };
  const close = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    delete root.dataset.overview;
    watcher.disconnect();
    list.replaceChildren();
    items = [];
    if (before?.isConnected && before !== document.body) before.focus({ preventScroll: true });
  };
  if (view === 'overview') open();
  return {
    get open() { return !panel.hidden; },
    toggle() { if (panel.hidden) open(); else close(); },
    close,
    refresh() { if (!panel.hidden) { build(); focus(deck.index); } },
  };
}
