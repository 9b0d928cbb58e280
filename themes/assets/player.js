// Starts the player on a deck page: reads the boot data and puts the parts together.

import { baseline } from './baseline.js';
import { realign } from './scaling.js';
import { Deck, showFragments } from './deck.js';
import { installUrl, readPosition, viewOf } from './url.js';
import { installKeys } from './keys.js';
import { installPointer } from './pointer.js';
import { ServerLink } from './live.js';
import { LocalLink, takeKey } from './local.js';
import { installFollow } from './follow.js';
import { installScreen } from './screen.js';
import { installLaser, installZoom } from './zoom.js';
import { installOverview } from './overview.js';
import { installDialogs, installToast, modal } from './dialogs.js';
import { installPresenter } from './presenter.js';
import { installReload } from './reload.js';
import { installController, installWakeLock } from './controller.js';
import { installTransitions } from './transitions.js';
import { installProblems, makeActions, escapeStep } from './actions.js';

const root = document.documentElement;
const boot = JSON.parse(document.getElementById('foredeck-boot').textContent);
const view = viewOf();
root.dataset.view = view;
document.body.dataset.bespokeView = view === 'present' ? '' : view;
const stage = document.getElementById('fd-stage');
const deck = new Deck(document.getElementById('deck'));

/** `?view=next` and thumbnails: only the slides, moved from outside. */
function startPreview() {
  window.addEventListener('message', ({ data }) => {
    const match = typeof data === 'string' && /^navigate:(\d+),(\d+)$/.exec(data);
    if (match) deck.go(Number(match[1]), Number(match[2]), 'remote');
  });
  const { index, fragment } = readPosition(deck);
  deck.go(index, location.search.includes('f=') ? fragment : Infinity, 'start');
}

function announcer() {
  const live = document.getElementById('fd-announcer');
  return (text) => { live.textContent = text; };
}

function openLink(start) {
  if (boot.mode === 'server') {
    // The speaker's windows keep their connection even when covered.
    return new ServerLink({
      deck: boot.deck,
      drive: boot.role === 'presenter',
      version: () => boot.version ?? 0,
      follow: boot.follow === true,
      resting: boot.role !== 'presenter',
    });
  }
  const key = takeKey();
  return new LocalLink({ deck: boot.deck ?? 'deck', key, position: start });
}

function startPlayer() {
  const start = readPosition(deck);
  const link = openLink(start);
  const announce = announcer();
  link.addEventListener('status', ({ detail }) => { root.dataset.link = detail; });
  const toast = installToast();
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const app = { boot, view, deck, link, stage, announce, toast, calm, actions: {} };
  deck.addEventListener('show', ({ detail }) => realign(detail.slide));
  installTransitions(app);
  // Copies are drawn with every step shown; the deck itself starts with none.
  for (const slide of deck.slides) if (slide.querySelector('[data-marpit-fragment]')) showFragments(slide, 0);
  deck.go(start.index, start.fragment, 'start');
  app.follow = installFollow({ ...app, pill: document.getElementById('fd-live') });
  installUrl(app);
  app.screen = installScreen(app);
  app.zoom = installZoom(app);
  app.laser = installLaser(app);
  app.overview = installOverview({ ...app, ratio: `${boot.size.width} / ${boot.size.height}` });
  app.dialogs = installDialogs(app);
  app.problems = installProblems(app);
  Object.assign(app.actions, makeActions(app));
  const controller = installController(app);
  controller.redraw();
  if (view === 'presenter') app.presenter = installPresenter(app);
  installKeys({ actions: app.actions, modal, digits: app.dialogs.digits, escape: () => escapeStep(app) });
  installPointer({
    stage,
    next: app.actions.next,
    previous: app.actions.previous,
    blocked: () => modal() || app.overview.open || app.zoom.active,
  });
  document.getElementById('fd-live').addEventListener('click', () => app.actions.live());
  installWakeLock();
  if (boot.film) import('./film.js').then(({ installFilm }) => installFilm(app));
  if (boot.mode === 'server') {
    // Files that were exported do without it.
    import('./stage.js').then(({ installStage }) => { app.stageParts = installStage(app); });
    installReload({
      ...app,
      baseline,
      changed() {
        controller.redraw();
        app.overview.refresh();
        app.presenter?.redraw();
        app.stageParts?.redraw();
      },
    });
  }
  link.start();
}

if (view === 'next') startPreview();
else startPlayer();
root.dataset.ready = 'true';
document.fonts?.ready.then(() => realign(deck.current));
