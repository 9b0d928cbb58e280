// What `check` asks the page of slides: what does not fit, how small text is, how it stands out. The value is a function.
(() => {
  const slides = [...document.querySelectorAll('svg[data-marpit-svg]')];
  // Not text to be read from afar, or text that fits itself.
  const LEFT_OUT = 'header, footer, sub, sup, rt, math, script, style, .foredeck-panel, [aria-hidden="true"]';
  const MOST_TEXTS = 2000;
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const colours = new Map();

  const content = (slide) =>
    slide.querySelector('section[data-marpit-advanced-background="content"]') ?? slide.querySelector('section');

  /** Red, green, blue and alpha of a colour, each from 0 to 1. */
  function colour(text) {
    let known = colours.get(text);
    if (!known) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = '#000';
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known = [r / 255, g / 255, b / 255, a / 255];
      colours.set(text, known);
    }
    return known;
  }

  const over = ([r, g, b, a], [red, green, blue]) => [
    r * a + red * (1 - a), g * a + green * (1 - a), b * a + blue * (1 - a), 1,
  ];
  const hex = (parts) =>
    `#${parts.slice(0, 3).map((part) => Math.round(part * 255).toString(16).padStart(2, '0')).join('')}`;

  function luminance([r, g, b]) {
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  }

  /** The colour behind an element; nothing where that is a picture. */
  function behind(element, section) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none') return null;
      const layer = colour(style.backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
      if (at === section) {
        if (section.dataset.marpitAdvancedBackground) return null;
        break;
      }
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [1, 1, 1, 1]);
  }

  /** Pixels of the slide for a CSS pixel of an element: what fits itself is scaled. */
  function scaleOf(element, slide) {
    let at = element;
    while (at && !(at instanceof HTMLElement && at.offsetHeight > 0)) at = at.parentElement;
    if (!at) return 1;
    const frame = slide.getBoundingClientRect();
    const own = at.getBoundingClientRect().height / at.offsetHeight;
    return (own * slide.viewBox.baseVal.width) / frame.width;
  }

  function texts(slide, section) {
    const found = [];
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && found.length < MOST_TEXTS) {
      const node = walker.currentNode;
      const element = node.parentElement;
      const text = node.data.replace(/\s+/g, ' ').trim();
      if (text === '' || element.closest(LEFT_OUT)) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width < 1 || box.height < 1) continue;
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize) * scaleOf(element, slide);
      const one = { text: text.slice(0, 60), size, code: Boolean(element.closest('pre, code, marp-pre')) };
      const below = style.backgroundClip === 'text' || style.textShadow !== 'none' ? null : behind(element, section);
      if (below) {
        const front = over(colour(style.color), below);
        const [high, low] = [luminance(front), luminance(below)].sort((a, b) => b - a);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        Object.assign(one, { ratio: (high + 0.05) / (low + 0.05), large, front: hex(front), behind: hex(below) });
      }
      found.push(one);
    }
    return worst(found);
  }

  /** The smallest, and the palest of small and of large ones: the others say nothing more. */
  function worst(texts) {
    const least = (list, key) => list.reduce((least, one) => (least && least[key] <= one[key] ? least : one), null);
    const measured = texts.filter(({ ratio }) => ratio !== undefined);
    const picked = [
      least(texts, 'size'),
      least(measured.filter(({ large }) => !large), 'ratio'),
      least(measured.filter(({ large }) => large), 'ratio'),
    ];
    return [...new Set(picked)].filter(Boolean);
  }

  /** Blocks of which a part is cut off, by how much. */
  function cut(section) {
    const blocks = [...section.querySelectorAll('pre, pre > code, table, blockquote, ul, ol, div')];
    return blocks.flatMap((block) => {
      if (block.closest(LEFT_OUT) || block.clientWidth === 0) return [];
      const style = getComputedStyle(block);
      const across = style.overflowX === 'visible' ? 0 : block.scrollWidth - block.clientWidth;
      const down = style.overflowY === 'visible' ? 0 : block.scrollHeight - block.clientHeight;
      if (across < 2 && down < 2) return [];
      return [{ name: block.localName, text: block.textContent.trim().split('\n')[0].slice(0, 60), across, down }];
    });
  }

  return slides.map((slide) => {
    const section = content(slide);
    if (!section) return { across: 0, down: 0, cut: [], texts: [] };
    return {
      across: Math.max(0, section.scrollWidth - section.clientWidth),
      down: Math.max(0, section.scrollHeight - section.clientHeight),
      cut: cut(section).slice(0, 5),
      texts: texts(slide, section),
    };
  });
})()
