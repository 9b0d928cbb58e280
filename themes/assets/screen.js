// What covers the slide: black, white, the QR code. Shared by the speaker, local for everybody else.

/** Returns { now, toggle(to), clear() }. */
export function installScreen({ deck, link, view, follow, boot, announce }) {
  const root = document.documentElement;
  const cover = document.getElementById('fd-cover');
  const names = { black: 'Black screen', white: 'White screen', qr: 'QR code' };
  let now = 'live';
  let local = null;

  const show = (to) => {
    if (to === now) return;
    now = to;
    root.dataset.screen = to;
    cover.hidden = to === 'live' || view === 'presenter';
    if (to === 'qr') loadCode(boot);
    announce(to === 'live' ? 'Slides are visible' : names[to] ?? to);
  };

  link.addEventListener('state', ({ detail: { state } }) => {
    if (local !== null && link.drive) local = null;
    root.dataset.freeze = String(Boolean(state.freeze));
    const counts = state.deck === boot.deck && (link.drive || follow.following);
    if (counts && local === null) show(state.screen ?? 'live');
  });
  link.addEventListener('refused', ({ detail: { command } }) => {
    if (command.do === 'screen') show(local = command.to);
  });

  // Somebody who browses alone and moves on wants to see where to.
  deck.addEventListener('change', ({ detail }) => {
    if (detail.cause === 'user' && local !== null) show((local = null) ?? 'live');
  });

  return {
    get now() { return now; },
    toggle(to) {
      const wanted = now === to ? 'live' : to;
      if (link.drive) link.send({ do: 'screen', to: wanted });
      else local = wanted === 'live' ? null : wanted;
      show(wanted);
    },
    /** Back to the slides; true when something was in the way. */
    clear() {
      if (now === 'live' || view === 'presenter') return false;
      this.toggle(now);
      return true;
    },
  };
}

function loadCode(boot) {
  const box = document.getElementById('fd-cover-qr');
  const image = box.querySelector('img');
  if (!image.getAttribute('src')) image.src = '/api/v1/qr.svg?for=audience';
  box.querySelector('p').textContent = boot.links?.audience ?? `${location.origin}/a`;
}
