// What keys and buttons do, by name.

import { address } from './url.js';

/** Asks for the window of the presenter view; returns its handle. */
function openPresenter({ boot, deck, link, toast }) {
  const size = `width=${Math.max(640, Math.round(window.outerWidth * 0.85))},height=${Math.max(360, Math.round(window.outerHeight * 0.85))}`;
  if (boot.mode === 'server') {
    if (boot.role !== 'presenter') {
      toast('The presenter view opens with the link that foredeck printed in the terminal.');
      return null;
    }
    return window.open(address({ view: 'presenter', f: null }), `foredeck-presenter-${boot.deck}`, size);
  }
  const url = `${address({ view: 'presenter', sync: link.key, f: deck.fragment || null })}#${deck.index + 1}`;
  const handle = window.open(url, `foredeck-presenter-${link.key}`, size);
  link.meet(handle);
  return handle;
}

async function toggleFullscreen(toast) {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
  } catch {
    toast('This browser does not allow fullscreen here.');
  }
}

/** Moves this window, and the other one we know, to each other's display. */
async function swapDisplays({ toast, other }) {
  if (!('getScreenDetails' in window)) {
    toast('This browser cannot move windows between displays: use the system’s shortcut.');
    return;
  }
  try {
    const details = await window.getScreenDetails();
    const target = details.screens.find((screen) => screen !== details.currentScreen);
    if (!target) {
      toast('There is only one display.');
      return;
    }
    const here = details.currentScreen;
    if (document.fullscreenElement) await document.documentElement.requestFullscreen({ screen: target });
    else window.moveTo(target.availLeft, target.availTop);
    const handle = other();
    if (handle && !handle.closed) handle.moveTo(here.availLeft, here.availTop);
  } catch {
    toast('The browser did not allow moving windows between displays.');
  }
}

/** Map of action name → function. Each takes the key event, or an object with its `shiftKey` or `skip`. */
export function makeActions(app) {
  const { boot, view, deck, link, toast, dialogs, overview, screen, zoom, laser } = app;
  let presenterWindow = null;
  // The slide that a cover hid comes back first; the next press moves on.
  const uncovered = (move) => () => { if (!screen.clear()) move(); };
  const onlySpeaker = (act) => () => {
    if (link.drive) act();
    else toast('That is for the speaker.');
  };
  const notes = (by) => () => {
    if (!zoom.step(by)) app.presenter?.resizeNotes(by);
  };
  return {
    next: (event = {}) => uncovered(() => deck.next({ skip: Boolean(event.skip ?? event.shiftKey) }))(),
    previous: (event = {}) => uncovered(() => deck.previous({ skip: Boolean(event.skip ?? (event.shiftKey && event.key !== ' ')) }))(),
    nextSlide: uncovered(() => deck.next({ skip: true })),
    previousSlide: uncovered(() => deck.previous({ skip: true })),
    first: () => deck.first(),
    last: () => deck.last(),
    goto: dialogs.goto,
    search: dialogs.search,
    help: dialogs.help,
    overview: () => overview.toggle(),
    fullscreen: () => toggleFullscreen(toast),
    black: () => screen.toggle('black'),
    white: () => screen.toggle('white'),
    zoom: () => zoom.toggle(),
    laser: () => laser.toggle(),
    qr: () => {
      if (boot.mode === 'file') toast('There is no server behind this file, so there is nothing to follow.');
      else if (view === 'presenter') dialogs.codes();
      else screen.toggle('qr');
    },
    showQr: () => screen.toggle('qr'),
    presenter: () => {
      if (view !== 'presenter') presenterWindow = openPresenter(app) ?? presenterWindow;
    },
    freeze: onlySpeaker(() => {
      const on = !link.state?.freeze;
      link.send({ do: 'freeze', on });
      if (view !== 'presenter') toast(on ? 'Frozen: the audience stays on this slide.' : 'No longer frozen.');
    }),
    timer: onlySpeaker(() => {
      const to = link.state?.timer?.running ? 'stop' : 'start';
      link.send({ do: 'timer', to });
      if (view !== 'presenter') toast(to === 'start' ? 'Timer started.' : 'Timer stopped.');
    }),
    notesBigger: notes(1),
    notesSmaller: notes(-1),
    swap: () => swapDisplays({ toast, other: () => presenterWindow ?? window.opener }),
    start: () => {
      // A clicker's "play" in the middle of a talk must not jump to the beginning.
      const timer = link.state?.timer;
      const begun = timer && (timer.running || timer.elapsed_ms > 0);
      if (!document.fullscreenElement && view === 'present') {
        if (!begun && link.drive) deck.first();
        toggleFullscreen(toast);
      }
    },
    live: () => app.follow.live(),
  };
}

/** Escape takes away one thing at a time, then toggles the overview. */
export function escapeStep({ screen, zoom, laser, overview }) {
  if (screen.clear() || zoom.clear() || laser.clear()) return;
  overview.toggle();
}

/** Findings of a broken edit: the speaker's view shows them, the audience sees nothing of it. */
export function installProblems({ link, view, boot }) {
  const box = document.getElementById('fd-problems');
  const badge = document.getElementById('fd-problems-badge');
  if (!box || boot.role !== 'presenter') return;
  const body = box.querySelector('.fd-problems-body');
  let open = view === 'presenter';
  const draw = () => {
    const some = body.childElementCount > 0 || body.textContent.trim() !== '';
    box.hidden = !some || !open;
    // The projector shows this window: a dot is all, and nothing at all in fullscreen.
    badge.hidden = !some || open || Boolean(document.fullscreenElement);
  };
  link.addEventListener('problems', ({ detail }) => {
    if (detail.deck !== boot.deck) return;
    body.innerHTML = detail.html ?? '';
    if (view === 'presenter') open = true;
    draw();
  });
  badge.addEventListener('click', () => { open = true; draw(); });
  box.querySelector('[data-close]').addEventListener('click', () => { open = false; draw(); });
  document.addEventListener('fullscreenchange', draw);
  draw();
}
