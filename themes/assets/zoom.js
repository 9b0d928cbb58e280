// Zoom into a point of the slide, and the laser pointer: both in shares of the slide (0 to 1), so they fit every screen.

const SCALES = [1.5, 2, 3, 4];

/** The box the slide fills inside its letterbox, on screen. */
export function slideBox(deck, size) {
  const box = deck.current.getBoundingClientRect();
  const scale = Math.min(box.width / size.width, box.height / size.height) || 1;
  const width = size.width * scale;
  const height = size.height * scale;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** Pointer position as shares of the slide (or what shows it), clamped to it. */
export function share(event, box) {
  const within = (n) => Math.round(Math.min(Math.max(n, 0), 1) * 1000) / 1000;
  return { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
}

/** Returns { active, toggle(), step(by), clear() }. */
export function installZoom({ deck, link, view, follow, boot, stage }) {
  let zoom = null;
  let pointer = { x: 0.5, y: 0.5 };

  const apply = (to) => {
    zoom = to && to.scale > 1 ? to : null;
    document.documentElement.toggleAttribute('data-zoomed', Boolean(zoom));
    if (!zoom) {
      deck.root.style.transform = '';
      return;
    }
    const { clientWidth: width, clientHeight: height } = stage;
    const scale = Math.min(width / boot.size.width, height / boot.size.height);
    const x = (width - boot.size.width * scale) / 2 + zoom.x * boot.size.width * scale;
    const y = (height - boot.size.height * scale) / 2 + zoom.y * boot.size.height * scale;
    deck.root.style.transformOrigin = `${x}px ${y}px`;
    deck.root.style.transform = `scale(${zoom.scale})`;
  };

  const set = (to) => {
    apply(to);
    if (link.drive) link.send({ do: 'zoom', to });
  };

  stage.addEventListener('pointermove', (event) => {
    if (!zoom) pointer = share(event, slideBox(deck, boot.size));
  }, { passive: true });
  window.addEventListener('resize', () => zoom && apply(zoom));
  deck.addEventListener('change', ({ detail }) => {
    if (zoom && detail.from.index !== detail.index) {
      if (detail.cause === 'user') set(null);
      else apply(null);
    }
  });
  link.addEventListener('state', ({ detail: { state } }) => {
    if (state.deck !== boot.deck || !(link.drive || follow.following) || (state.freeze && link.drive && view !== 'presenter')) return;
    if (state.slide === deck.index && JSON.stringify(state.zoom ?? null) !== JSON.stringify(zoom)) apply(state.zoom ?? null);
  });

  return {
    get active() { return Boolean(zoom); },
    toggle() { set(zoom ? null : { ...pointer, scale: 2 }); },
    /** Closer or further while zoomed. */
    step(by) {
      if (!zoom) return false;
      const at = SCALES.findIndex((scale) => scale >= zoom.scale) + by;
      set(at < 0 ? null : { ...zoom, scale: SCALES[Math.min(at, SCALES.length - 1)] });
      return true;
    },
    clear() {
      if (!zoom) return false;
      set(null);
      return true;
    },
  };
}

/** Returns { active, toggle(), clear() }. */
export function installLaser({ deck, link, follow, boot, stage, announce }) {
  const dot = document.getElementById('fd-laser');
  let active = false;
  let frame = 0;
  let at = null;
  let hide = 0;

  const draw = (to) => {
    clearTimeout(hide);
    dot.hidden = !to;
    if (!to) return;
    const box = slideBox(deck, boot.size);
    dot.style.transform = `translate(${box.left + to.x * box.width}px, ${box.top + to.y * box.height}px)`;
    // A lost "off" must not leave a dot behind for the rest of the talk.
    if (!active) hide = setTimeout(() => { dot.hidden = true; }, 4000);
  };

  stage.addEventListener('pointermove', (event) => {
    if (!active) return;
    at = share(event, slideBox(deck, boot.size));
    draw(at);
    if (frame || !link.drive) return;
    frame = setTimeout(() => {
      frame = 0;
      if (active) link.send({ do: 'laser', to: at });
    }, 33);
  }, { passive: true });
  stage.addEventListener('pointerleave', () => {
    if (!active) return;
    draw(null);
    if (link.drive) link.send({ do: 'laser', to: null });
  });
  link.addEventListener('laser', ({ detail }) => {
    if (!active && (link.drive || follow.following)) draw(detail);
  });

  const set = (on) => {
    active = on;
    document.documentElement.toggleAttribute('data-laser', on);
    if (!on) {
      draw(null);
      if (link.drive) link.send({ do: 'laser', to: null });
    }
    announce(on ? 'Laser pointer on' : 'Laser pointer off');
  };
  return {
    get active() { return active; },
    toggle() { set(!active); },
    clear() {
      if (!active) return false;
      set(false);
      return true;
    },
  };
}
