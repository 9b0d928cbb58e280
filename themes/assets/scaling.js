// Auto-scaling of headings, code and formulas: the custom elements that Marp's DOM names.
// Stands alone: the bare page inlines exactly this file.

const SVG = 'http://www.w3.org/2000/svg';
const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

// What a browser does for the plain tag; needed where the tag is replaced by a custom one.
const LOOK = {
  h1: 'display:block;font-size:2em;margin-block:.67em;font-weight:bold',
  h2: 'display:block;font-size:1.5em;margin-block:.83em;font-weight:bold',
  h3: 'display:block;font-size:1.17em;margin-block:1em;font-weight:bold',
  h4: 'display:block;margin-block:1.33em;font-weight:bold',
  h5: 'display:block;font-size:.83em;margin-block:1.67em;font-weight:bold',
  h6: 'display:block;font-size:.67em;margin-block:2.33em;font-weight:bold',
  span: 'display:inline',
  pre: 'display:block;font-family:monospace;white-space:pre;margin:1em 0;--marp-auto-scaling-white-space:pre',
};

const INNER = `
:host{display:block}
[data-marp-auto-scaling-wrapper]{display:block}
svg{display:block;width:100%;height:auto}
[data-marp-auto-scaling-container]{display:table;width:max-content;white-space:var(--marp-auto-scaling-white-space,nowrap)}
`;

const ASPECT = { left: 'xMinYMid meet', center: 'xMidYMid meet', right: 'xMaxYMid meet' };

/** `left`, `center` or `right`, whatever words the style uses. */
function side(style) {
  const align = style.textAlign.replace('-webkit-', '').replace('-moz-', '');
  const rtl = style.direction === 'rtl';
  if (align === 'center') return 'center';
  if (align === 'right' || align === (rtl ? 'start' : 'end')) return 'right';
  if (align === 'justify' && rtl) return 'right';
  return 'left';
}

class AutoScaling extends HTMLElement {
  #box = { container: [0, 0], wrapper: 0 };
  #observer = new ResizeObserver((entries) => this.#resized(entries));

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    this.#observer.observe(this.container);
    this.#observer.observe(this.wrapper);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  #build() {
    const root = this.attachShadow({ mode: 'open' });
    const style = document.createElement('style');
    style.textContent = INNER;
    this.wrapper = document.createElement('div');
    this.wrapper.dataset.marpAutoScalingWrapper = '';
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('part', 'svg');
    this.svg.setAttribute('data-marp-auto-scaling-svg', '');
    this.svg.style.height = '0';
    this.frame = document.createElementNS(SVG, 'foreignObject');
    this.container = document.createElement('span');
    this.container.dataset.marpAutoScalingContainer = '';
    this.container.append(document.createElement('slot'));
    this.frame.append(this.container);
    this.svg.append(this.frame);
    this.wrapper.append(this.svg);
    root.append(style, this.wrapper);
  }

  #resized(entries) {
    for (const { target, contentRect } of entries) {
      // Whole pixels, rounded up: what Marp measures, so that slides come out the same to the pixel.
      const [width, height] = [Math.ceil(contentRect.width), Math.ceil(contentRect.height)];
      if (target === this.container) this.#box.container = [width, height];
      else this.#box.wrapper = width;
    }
    this.#fit();
  }

  #fit() {
    const [natural, height] = this.#box.container;
    const width = this.hasAttribute('data-downscale-only') ? Math.max(natural, this.#box.wrapper) : natural;
    if (width > 0 && height > 0) {
      this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      this.frame.setAttribute('width', width);
      this.frame.setAttribute('height', height);
    } else {
      this.svg.removeAttribute('viewBox');
    }
    // Not a `:not([viewBox])` rule: Chromium does not notice when that stops matching.
    this.svg.style.height = width > 0 && height > 0 ? '' : '0';
    this.align();
  }

  /** Follows the text's alignment, which a theme or a class may have changed. */
  align() {
    if (!this.shadowRoot) return;
    const style = getComputedStyle(this);
    const wanted = style.getPropertyValue('--preserve-aspect-ratio').trim() || ASPECT[side(style)];
    if (this.svg.getAttribute('preserveAspectRatio') !== wanted) this.svg.setAttribute('preserveAspectRatio', wanted);
    this.container.style.marginLeft = wanted.includes('xMin') ? '0' : 'auto';
    this.container.style.marginRight = wanted.includes('xMax') ? '0' : 'auto';
  }
}

/** A custom element class that keeps `tag`'s look and scales what is in it. */
function host(tag, Base, replaced) {
  return class extends Base {
    static observedAttributes = ['data-auto-scaling'];

    connectedCallback() {
      if (!this.shadowRoot) this.#build();
    }

    attributeChangedCallback() {
      if (this.shadowRoot) this.#fill();
    }

    #build() {
      const root = this.attachShadow({ mode: 'open' });
      const style = document.createElement('style');
      // A built-in that was upgraded in place still has the browser's own look.
      style.textContent = replaced ? `:host{${LOOK[tag]}}` : '';
      root.append(style);
      if (replaced && HEADINGS.includes(tag)) {
        if (!this.hasAttribute('role')) this.setAttribute('role', 'heading');
        if (!this.hasAttribute('aria-level')) this.setAttribute('aria-level', tag[1]);
      }
      this.#fill();
    }

    #fill() {
      const old = this.shadowRoot.lastElementChild;
      if (old.localName !== 'style') old.remove();
      const slot = document.createElement('slot');
      const mode = this.getAttribute('data-auto-scaling');
      if (mode === null) {
        this.shadowRoot.append(slot);
        return;
      }
      const scaler = document.createElement('marp-auto-scaling');
      scaler.setAttribute('exportparts', 'svg:auto-scaling');
      if (mode === 'downscale-only') scaler.setAttribute('data-downscale-only', '');
      scaler.append(slot);
      this.shadowRoot.append(scaler);
    }
  };
}

let builtIns = false;

/** Whether `<h1 is="…">` is understood (Safari: no). */
function understandsIs() {
  const Probe = class extends HTMLHeadingElement {};
  customElements.define('foredeck-probe', Probe, { extends: 'h1' });
  return document.createElement('h1', { is: 'foredeck-probe' }) instanceof Probe;
}

/** Replaces by a custom tag what cannot be upgraded in place: `pre`, and everything in Safari. */
export function replaceHosts(root) {
  const names = builtIns ? ['pre'] : [...HEADINGS, 'span', 'pre'];
  for (const name of names) {
    for (const old of root.querySelectorAll(`${name}[is="marp-${name}"]`)) {
      const fresh = document.createElement(`marp-${name}`);
      for (const { name: key, value } of old.attributes) fresh.setAttribute(key, value);
      fresh.append(...old.childNodes);
      old.replaceWith(fresh);
    }
  }
}

/** Checks the alignment of everything that scales in `root` anew. */
export function realign(root) {
  for (const element of root.querySelectorAll('[data-auto-scaling]')) {
    element.shadowRoot?.querySelector('marp-auto-scaling')?.align?.();
  }
}

function define() {
  if (customElements.get('marp-auto-scaling')) return;
  builtIns = understandsIs();
  customElements.define('marp-auto-scaling', AutoScaling);
  for (const tag of HEADINGS) {
    if (builtIns) customElements.define(`marp-${tag}`, host(tag, HTMLHeadingElement, false), { extends: tag });
    else customElements.define(`marp-${tag}`, host(tag, HTMLElement, true));
  }
  if (builtIns) customElements.define('marp-span', host('span', HTMLSpanElement, false), { extends: 'span' });
  else customElements.define('marp-span', host('span', HTMLElement, true));
  customElements.define('marp-pre', host('pre', HTMLElement, true));
  replaceHosts(document);
}

define();
