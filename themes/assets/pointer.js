// Wheel, swipe and the idle cursor.

const PAUSE_MS = 250;
const THRESHOLD = 12;
const SWIPE_PX = 30;
// The line between "left or up" and "right or down" is tilted by about 35°.
const TILT = (35 * Math.PI) / 180;

/** Whether something between `target` and `root` can itself scroll. */
function scrolls(target, root) {
  for (let at = target; at instanceof Element && at !== root; at = at.parentElement) {
    const style = getComputedStyle(at);
    const down = /auto|scroll/.test(style.overflowY) && at.scrollHeight > at.clientHeight;
    const across = /auto|scroll/.test(style.overflowX) && at.scrollWidth > at.clientWidth;
    if (down || across) return true;
  }
  return false;
}

/** One step per turn of the wheel: fading momentum and tiny moves do nothing. */
function installWheel(stage, { next, previous, blocked }) {
  let last = -Infinity;
  let strength = 0;
  let seen = 0;
  stage.addEventListener('wheel', (event) => {
    if (blocked() || event.ctrlKey || scrolls(event.target, stage)) return;
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const delta = (Math.abs(event.deltaY) >= Math.abs(event.deltaX) ? event.deltaY : event.deltaX) * unit;
    const now = event.timeStamp;
    const fading = now - seen < PAUSE_MS && Math.abs(delta) < strength;
    seen = now;
    strength = Math.abs(delta);
    if (Math.abs(delta) < THRESHOLD || fading || now - last < PAUSE_MS) return;
    last = now;
    if (delta > 0) next({ skip: event.shiftKey });
    else previous({ skip: event.shiftKey });
  }, { passive: true });
}

/** One finger, at least 30 px. */
function installSwipe(stage, { next, previous, blocked }) {
  let start = null;
  stage.addEventListener('touchstart', (event) => {
    const touch = event.touches[0];
    start = event.touches.length === 1 && !scrolls(event.target, stage) ? { x: touch.clientX, y: touch.clientY } : null;
  }, { passive: true });
  stage.addEventListener('touchmove', (event) => {
    if (event.touches.length > 1) start = null;
  }, { passive: true });
  stage.addEventListener('touchend', (event) => {
    if (!start || blocked()) return;
    const touch = event.changedTouches[0];
    const dx = touch.clientX - start.x;
    const dy = touch.clientY - start.y;
    start = null;
    // Somebody who zoomed in with two fingers is looking around, not turning pages.
    if (Math.hypot(dx, dy) < SWIPE_PX || (window.visualViewport?.scale ?? 1) > 1.01) return;
    if (dx * Math.cos(TILT) + dy * Math.sin(TILT) < 0) next({});
    else previous({});
  }, { passive: true });
}

/** After two quiet seconds cursor and controller go. */
function installIdle(root) {
  let timer = 0;
  const wake = () => {
    root.dataset.idle = 'false';
    clearTimeout(timer);
    timer = setTimeout(() => { root.dataset.idle = 'true'; }, 2000);
  };
  for (const name of ['mousemove', 'mousedown', 'touchstart', 'focusin']) document.addEventListener(name, wake, { passive: true });
  wake();
}

export function installPointer({ stage, next, previous, blocked }) {
  installWheel(stage, { next, previous, blocked });
  installSwipe(stage, { next, previous, blocked });
  installIdle(document.documentElement);
}
