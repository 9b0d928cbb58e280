// Slide transitions by the View Transition API: Marp's names, the author's own keyframes, calm when asked for.

const DEFAULT_MS = 500;

/** The JSON of a data-transition attribute, or null. */
function read(slide, attribute) {
  const text = slide?.querySelector(`section[${attribute}]`)?.getAttribute(attribute);
  if (!text) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value.name === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** The setting that counts for a move: of the slide that is left, or, going back, of the one that is returned to. */
export function settingFor({ from, to, forward, adjacent }) {
  if (forward) return read(from, 'data-transition');
  return (adjacent && read(from, 'data-transition-back')) || read(to, 'data-transition');
}

/** `500ms`, `1.5s` → milliseconds. */
export function durationMs(text) {
  const match = /^\s*(\d*\.?\d+)\s*(ms|s)\s*$/.exec(text ?? '');
  return match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : null;
}

/** All @keyframes of the deck's own styles by name; looked up anew when the styles change. */
class AuthorKeyframes {
  #of = null;
  #names = new Map();

  get(name) {
    const style = document.querySelector('style[data-foredeck-slides]');
    if (style && this.#of !== style.textContent) {
      this.#of = style.textContent;
      this.#names.clear();
      // Reading all rules of a big theme costs; most decks name no such keyframes at all.
      if (this.#of.includes('-transition-')) this.#collect(style.sheet?.cssRules ?? []);
    }
    return this.#names.get(name) ?? null;
  }

  #collect(rules) {
    for (const rule of rules) {
      if (rule instanceof CSSKeyframesRule) this.#names.set(rule.name, rule);
      else if (rule.cssRules) this.#collect(rule.cssRules);
    }
  }

  /** First of several names that exists. */
  first(names) {
    for (const name of names) {
      const rule = this.get(name);
      if (rule) return rule;
    }
    return null;
  }

  /** The author's keyframes for the old and the new page, or null when there are none of that name. */
  pair(name, forward) {
    const old = [`marp-outgoing-transition-${name}`, `marp-transition-${name}`];
    const fresh = [`marp-incoming-transition-${name}`, `marp-transition-${name}`];
    const back = (names) => names.map((full) => full.replace(/-transition-/, '-transition-backward-'));
    const out = this.first(forward ? old : [...back(old), ...old]);
    const into = this.first(forward ? fresh : [...back(fresh), ...fresh]);
    return out || into ? { out, into } : null;
  }
}

/** A custom property or declaration in the first keyframe. */
function firstFrame(rule, property) {
  for (const frame of rule?.cssRules ?? []) {
    const value = frame.style?.getPropertyValue(property).trim();
    if (value && /^(from|0%)/.test(frame.keyText)) return value;
  }
  return '';
}

/** Which side of the author's pair is played reversed: only the shared name, on the new page. */
const reversed = (rule) => Boolean(rule) && /^marp-transition-/.test(rule.name);

function authorCss({ out, into }, ms) {
  const play = (rule, back) => (rule && rule.cssRules.length > 0 ? `animation: ${CSS.escape(rule.name)} ${ms}ms ease ${back ? 'reverse' : 'normal'} both` : 'animation: none');
  const below = firstFrame(into, 'z-index') === '-1' ? 'z-index: -1;' : '';
  return `::view-transition-old(root){${play(out, false)};mix-blend-mode:normal;${out?.cssRules.length ? '' : 'opacity:0;'}}
::view-transition-new(root){${play(into, reversed(into))};mix-blend-mode:normal;${below}}`;
}

/** Adds the built-in keyframes once, when the first slide asks for them. */
function builtInStyles() {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const inline = document.querySelector('script[data-asset="transitions.css"]');
    if (inline) {
      const style = document.createElement('style');
      style.textContent = inline.textContent;
      document.head.append(style);
      return;
    }
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = '/assets/transitions.css';
    document.head.append(link);
  };
}

/** Gives the deck its animations. */
export function installTransitions({ deck, boot, calm }) {
  if (!document.startViewTransition || boot.transition === false) return;
  const root = document.documentElement;
  const author = new AuthorKeyframes();
  const load = builtInStyles();
  const custom = document.createElement('style');
  document.head.append(custom);
  let running = null;

  const look = () => {
    if (deck.root.querySelector('section[data-transition], section[data-transition-back]')) load();
  };
  look();
  deck.addEventListener('show', look, { once: true });

  const choose = (move) => {
    const setting = settingFor(move);
    if (!setting || setting.name === 'none') return null;
    const asked = durationMs(setting.duration);
    if (calm.matches) return { name: 'calm', ms: Math.min(asked ?? 250, 250), css: '' };
    const pair = author.pair(setting.name, move.forward);
    if (pair) {
      const ms = asked ?? durationMs(firstFrame(pair.out, '--marp-transition-duration') || firstFrame(pair.into, '--marp-transition-duration')) ?? DEFAULT_MS;
      return { name: 'author', ms, css: authorCss(pair, ms) };
    }
    if (!setting.builtinFallback) return null;
    return { name: setting.name, ms: asked ?? DEFAULT_MS, css: '' };
  };

  deck.animate = (apply, move) => {
    // Moving on during an animation ends it.
    running?.skipTransition();
    const hurried = Boolean(running);
    const chosen = hurried || document.visibilityState !== 'visible' ? null : choose(move);
    if (!chosen) {
      apply();
      return;
    }
    load();
    custom.textContent = chosen.css;
    root.dataset.transition = chosen.name;
    root.dataset.direction = move.forward ? 'forward' : 'backward';
    root.style.setProperty('--marp-transition-direction', move.forward ? '1' : '-1');
    root.style.setProperty('--marp-transition-duration', `${chosen.ms}ms`);
    const transition = document.startViewTransition(apply);
    running = transition;
    // A skipped transition rejects `ready`; that is wanted, not an error.
    transition.ready.catch(() => {});
    transition.finished.catch(() => {}).finally(() => {
      if (running !== transition) return;
      running = null;
      delete root.dataset.transition;
      delete root.dataset.direction;
    });
  };
}
