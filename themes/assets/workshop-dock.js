// What is docked beside a step: live panels, the learner's terminal, and messages of the trainer.

import { installPanels } from './panels.js';
import { installTerminals } from './terminal.js';

/** A stream that was refused is asked for again after this: a server that starts again may refuse at first. */
const AGAIN = 3000;

/** Opens a stream while the page is visible, so that a forgotten tab keeps nothing awake. */
function whileVisible(open) {
  let source = null;
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const follow = () => {
    close();
    if (document.visibilityState !== 'visible') return;
    source = open();
    // A browser tries again by itself when the connection breaks, but not when it gets another answer.
    source.addEventListener('error', ({ target }) => {
      if (target === source && source.readyState === EventSource.CLOSED) timer = setTimeout(follow, AGAIN);
    });
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}

/** Fills the panels of a step. Returns { type(text) }, which is false where there is no terminal to type into. */
export function installDock(slug) {
  const dock = document.querySelector('[data-dock]');
  if (!dock) return { type: () => false };
  const announce = () => {};
  // The player's parts know a deck with a slide that is shown: here that is the dock, while anybody looks at it.
  const deck = new EventTarget();
  const nothing = document.createDocumentFragment();
  const visible = () => document.visibilityState === 'visible';
  Object.defineProperty(deck, 'current', { get: () => (visible() ? dock : nothing) });
  const link = new EventTarget();
  installPanels({ deck: Object.assign(new EventTarget(), { current: null, root: dock }), link, view: 'presenter', announce, toast: announce });
  const terminals = installTerminals({ deck, boot: { role: 'presenter', follow: false }, announce });
  document.addEventListener('visibilitychange', () => terminals.redraw());
  if (dock.querySelector('figure:not([data-panel-kind="terminal"])')) {
    whileVisible(() => {
      const source = new EventSource(`/api/v1/workshop/${slug}/panels`);
      source.addEventListener('panel', ({ data }) => link.dispatchEvent(new CustomEvent('panel', { detail: JSON.parse(data) })));
      return source;
    });
  }
  return { type: (text) => terminals.type(text) };
}

/** Shows what the trainer says until it is put away. */
export function installNotes() {
  const box = document.querySelector('[data-notes]');
  if (!box || !document.body.dataset.learner) return;
  const read = () => Number(sessionStorage.getItem('foredeck-notes') ?? 0);
  whileVisible(() => {
    const source = new EventSource('/api/v1/notes');
    source.addEventListener('note', ({ data }) => {
      const note = JSON.parse(data);
      if (note.number <= read() || box.querySelector(`[data-note="${note.number}"]`)) return;
      const article = document.createElement('article');
      article.dataset.note = note.number;
      article.innerHTML = note.html;
      const done = document.createElement('button');
      done.type = 'button';
      done.textContent = 'Got it';
      done.addEventListener('click', () => {
        sessionStorage.setItem('foredeck-notes', String(Math.max(read(), note.number)));
        article.remove();
        box.hidden = box.childElementCount === 0;
        document.querySelector('main')?.focus?.();
      });
      article.append(done);
      box.append(article);
      box.hidden = false;
    });
    return source;
  });
}
