// What a deck page has only with a server behind it: panels, steps, terminals, the runbook, the time of the live system.

import { installClockControls, installClockLabel } from './clock.js';
import { installControls } from './controls.js';
import { FIGURES, installPanels } from './panels.js';
import { installRunbook } from './runbook.js';
import { installSteps } from './steps.js';
import { installTerminals } from './terminal.js';

/** Returns { redraw() }, to be called when slides were replaced. */
export function installStage(app) {
  const { deck, link, toast, view } = app;
  const panels = installPanels(app);
  const running = installSteps(app);
  const terminals = installTerminals(app);
  installClockLabel(link, document.getElementById('fd-virtual'));
  let book = null;
  let controls = null;
  if (view === 'presenter') {
    const panel = document.querySelector('#fd-presenter .fd-book');
    book = installRunbook(panel, { steps: running.steps, link, slide: () => deck.index });
    panel.querySelector('[data-book="run"]').addEventListener('click', ({ target }) => (target.textContent === 'Stop' ? running.cancel() : running.run()));
    panel.querySelector('[data-book="undo"]').addEventListener('click', () => app.actions.undo());
    installClockControls(document.querySelector('#fd-presenter .fd-time'), link, toast);
    const here = () => [...deck.current?.querySelectorAll(FIGURES) ?? []].map((figure) => figure.dataset.panelKey);
    controls = installControls(panel.querySelector('.fd-handles'), { link, toast, keys: here });
    deck.addEventListener('change', () => { book.draw(); controls.draw(); });
  }
  return {
    redraw() {
      panels.redraw();
      running.redraw();
      terminals.redraw();
      book?.draw();
      controls?.draw();
    },
  };
}
