// The bar at the bottom, the progress line, titles and what screen readers hear.

/** The bar's buttons name their action in data-do. */
export function installController({ deck, boot, actions, announce }) {
  const bar = document.getElementById('fd-osc');
  const page = bar.querySelector('.fd-page');
  const progress = document.getElementById('fd-progress');
  bar.hidden = boot.controller === false;
  document.documentElement.toggleAttribute('data-progress', boot.progress === true);
  for (const button of bar.querySelectorAll('[data-do]')) {
    const name = button.dataset.do;
    button.addEventListener('click', (event) => actions[name]?.({ shiftKey: event.shiftKey, skip: event.shiftKey }));
  }
  const full = bar.querySelector('[data-do="fullscreen"]');
  if (full && !document.fullscreenEnabled) full.hidden = true;
  const draw = () => {
    page.textContent = `${deck.index + 1} / ${deck.count}`;
    page.setAttribute('aria-label', `Page ${deck.index + 1} of ${deck.count}`);
    bar.querySelector('[data-do="previous"]').disabled = deck.atStart;
    bar.querySelector('[data-do="next"]').disabled = deck.atEnd;
    progress.style.setProperty('--share', String(deck.count > 1 ? deck.index / (deck.count - 1) : 1));
  };
  const label = () => {
    const slide = deck.current;
    const title = boot.titles?.[deck.index];
    slide.setAttribute('role', 'group');
    slide.setAttribute('aria-roledescription', 'slide');
    slide.setAttribute('aria-label', `${deck.index + 1} of ${deck.count}${title ? `: ${title}` : ''}`);
  };
  deck.addEventListener('change', ({ detail }) => {
    draw();
    label();
    if (detail.cause === 'start') return;
    const title = boot.titles?.[deck.index];
    if (detail.from.index !== detail.index) announce(`Slide ${detail.index + 1} of ${deck.count}${title ? `: ${title}` : ''}`);
    else announce(lastShown(deck) || `Step ${detail.fragment} of ${deck.fragments()}`);
  });
  return {
    redraw() {
      draw();
      label();
    },
  };
}

/** The text that the newest fragment brought. */
function lastShown(deck) {
  const item = deck.current.querySelector('[data-bespoke-marp-current-fragment]');
  return item?.textContent.trim().replace(/\s+/g, ' ').slice(0, 200) ?? '';
}

/** Keeps the screen on while the page is seen. */
export function installWakeLock() {
  let lock = null;
  const ask = async () => {
    if (lock || document.visibilityState !== 'visible' || !navigator.wakeLock) return;
    try {
      lock = await navigator.wakeLock.request('screen');
      lock.addEventListener('release', () => { lock = null; });
    } catch {
      lock = null;
    }
  };
  document.addEventListener('visibilitychange', ask);
  document.addEventListener('fullscreenchange', ask);
  ask();
}
