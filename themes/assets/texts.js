// Takes the texts of a slide that a presentation program can show as texts, and hides them in the picture: headings,
// paragraphs and lists of plain words. Whatever is more than that stays in the picture. Evaluated after print.js.
(() => {
  const INLINE = new Set(['A', 'B', 'BR', 'CODE', 'DEL', 'EM', 'I', 'INS', 'KBD', 'MARK', 'S', 'SMALL', 'SPAN', 'STRONG', 'U']);
  const HIDING = `
    [data-foredeck-taken], [data-foredeck-taken] * {
      color: transparent !important; -webkit-text-fill-color: transparent !important;
      text-decoration-color: transparent !important; text-emphasis-color: transparent !important;
    }
    [data-foredeck-taken] :is(code, kbd, mark, a, span) {
      background: transparent !important; border-color: transparent !important; box-shadow: none !important;
    }
    [data-foredeck-taken] li::marker { color: transparent !important }
    [data-foredeck-taken] li::before { visibility: hidden !important }
  `;
  const BULLETS = { disc: '•', circle: '◦', square: '▪' };
  const NUMBERS = {
    decimal: 'arabicPeriod', 'lower-alpha': 'alphaLcPeriod', 'lower-latin': 'alphaLcPeriod',
    'upper-alpha': 'alphaUcPeriod', 'upper-latin': 'alphaUcPeriod', 'lower-roman': 'romanLcPeriod',
    'upper-roman': 'romanUcPeriod',
  };

  const slides = [...document.querySelectorAll('svg[data-marpit-svg]')];
  const style = document.createElement('style');
  style.textContent = HIDING;
  document.head.append(style);

  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  /** A colour in any notation as `RRGGBB` and how opaque it is. */
  function colour(css) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { rgb: [r, g, b].map((part) => part.toString(16).padStart(2, '0')).join(''), alpha: a / 255 };
  }

  const content = (slide) =>
    slide.querySelector('section[data-marpit-advanced-background="content"]') ?? slide.querySelector('section');
  const lists = (element) => [...element.children].filter((child) => child.matches('ul, ol'));
  const blank = (text) => text.trim() === '';

  /** Whether nothing about an element and what is around it needs a browser. */
  function plain(element, section) {
    for (let at = element; at && at !== section.parentElement; at = at.parentElement) {
      const css = getComputedStyle(at);
      const wanted = css.opacity === '1' && css.transform === 'none' && css.rotate === 'none' && css.scale === 'none'
        && css.writingMode === 'horizontal-tb' && css.filter === 'none' && css.mixBlendMode === 'normal'
        && !css.backgroundClip.includes('text') && css.direction === 'ltr' && css.visibility === 'visible';
      if (!wanted) return false;
    }
    const css = getComputedStyle(element);
    return css.textShadow === 'none' && css.display !== 'none' && parseFloat(css.webkitTextStrokeWidth || '0') === 0
      && element.getClientRects().length === 1;
  }

  /** Whether an element holds plain words alone, but for lists when it is an item of one. */
  function wordsAlone(element, item) {
    return [...element.childNodes].every((node) => {
      if (node.nodeType !== Node.ELEMENT_NODE) return true;
      if (item && node.matches('ul, ol')) return simpleList(node);
      if (!INLINE.has(node.tagName) || node.shadowRoot || node.dataset.autoScaling !== undefined) return false;
      const css = getComputedStyle(node);
      return css.display.startsWith('inline') && css.float === 'none' && css.position === 'static'
        && css.textShadow === 'none' && css.opacity === '1' && wordsAlone(node, false);
    });
  }

  const own = (item) => (item.children.length > 0 && item.firstElementChild.tagName === 'P' ? item.firstElementChild : item);

  function simpleItem(item) {
    if (item.tagName !== 'LI') return false;
    const text = own(item);
    if (text === item) return wordsAlone(item, true);
    const others = [...item.childNodes].filter((node) => node !== text && !(node.nodeType === Node.TEXT_NODE && blank(node.data)));
    return wordsAlone(text, false) && others.every((node) => node.matches?.('ul, ol') && simpleList(node));
  }

  function simpleList(list) {
    return [...list.children].every(simpleItem);
  }

  function look(element) {
    const css = getComputedStyle(element);
    const inherited = [element, ...function* () { for (let at = element.parentElement; at && getComputedStyle(at).display.startsWith('inline'); at = at.parentElement) yield at; }()];
    const line = inherited.map((at) => getComputedStyle(at).textDecorationLine).join(' ');
    const behind = inherited.map((at) => colour(getComputedStyle(at).backgroundColor)).find(({ alpha }) => alpha > 0.05);
    const link = element.closest('a[href]');
    const inside = link?.getAttribute('href').match(/^#(\d+)$/);
    return {
      font: css.fontFamily,
      size: parseFloat(css.fontSize),
      bold: Number(css.fontWeight) >= 600,
      italic: css.fontStyle !== 'normal',
      underline: line.includes('underline'),
      strike: line.includes('line-through'),
      spacing: parseFloat(css.letterSpacing) || 0,
      colour: colour(css.webkitTextFillColor),
      behind: behind?.rgb ?? null,
      ...(link ? (inside ? { slide: Number(inside[1]) } : { href: link.href }) : {}),
    };
  }

  /** The runs of words of an element, white space as it is shown. */
  function runs(element) {
    const found = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        const parent = node.parentElement;
        const css = getComputedStyle(parent);
        let text = css.whiteSpaceCollapse === 'preserve' ? node.data : node.data.replace(/[ \t\n\r\f]+/g, ' ');
        if (css.textTransform === 'uppercase') text = text.toUpperCase();
        if (css.textTransform === 'lowercase') text = text.toLowerCase();
        if (text !== '') found.push({ text, ...look(parent) });
      } else if (node.nodeName === 'BR') {
        found.push({ text: '\n', ...look(node.parentElement) });
      } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches('ul, ol')) {
        node.childNodes.forEach(walk);
      }
    };
    element.childNodes.forEach(walk);
    // No white space at the start, the end, around breaks, or twice.
    let before = '\n';
    for (const run of found) {
      if (/\s$/.test(before)) run.text = run.text.replace(/^ +/, '');
      if (run.text !== '') before = run.text;
    }
    for (let at = found.length - 1, after = '\n'; at >= 0; at -= 1) {
      if (after.startsWith('\n')) found[at].text = found[at].text.replace(/ +$/, '');
      if (found[at].text !== '') after = found[at].text;
    }
    return found.filter(({ text }) => text !== '');
  }

  const scaled = (slide) => slide.viewBox.baseVal.width / slide.getBoundingClientRect().width;

  /** The words of an element without its lists: where they start and end. */
  function extent(slide, element) {
    const range = document.createRange();
    const nested = lists(element)[0];
    range.selectNodeContents(element);
    if (nested) range.setEndBefore(nested);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0 && rect.height > 0);
    const frame = slide.getBoundingClientRect();
    const scale = scaled(slide);
    return {
      left: (Math.min(...rects.map((rect) => rect.left)) - frame.left) * scale,
      top: (Math.min(...rects.map((rect) => rect.top)) - frame.top) * scale,
      bottom: (Math.max(...rects.map((rect) => rect.bottom)) - frame.top) * scale,
    };
  }

  function lineHeight(css) {
    return css.lineHeight === 'normal' ? parseFloat(css.fontSize) * 1.2 : parseFloat(css.lineHeight);
  }

  function paragraph(slide, element, level, bullet) {
    const words = runs(element);
    if (words.length === 0) return null;
    const css = getComputedStyle(element);
    return { level, bullet, runs: words, line: lineHeight(css), align: css.textAlign, ...extent(slide, element) };
  }

  function bulletOf(item, number) {
    const css = getComputedStyle(item);
    const before = getComputedStyle(item, '::before');
    const quoted = before.content.match(/^"(.{1,2})"$/u);
    if (quoted) return { char: quoted[1], colour: colour(before.color) };
    const marker = colour(getComputedStyle(item, '::marker').color);
    if (NUMBERS[css.listStyleType]) return { number, scheme: NUMBERS[css.listStyleType], colour: marker };
    const char = BULLETS[css.listStyleType];
    return char ? { char, colour: marker } : null;
  }

  function items(slide, list, level) {
    let number = list.start ?? 1;
    return [...list.children].flatMap((item) => {
      const first = paragraph(slide, own(item), level, bulletOf(item, number));
      number += 1;
      return [...(first ? [first] : []), ...lists(item).flatMap((inner) => items(slide, inner, level + 1))];
    });
  }

  /** The texts of a slide, which are hidden from here on. */
  function texts(index) {
    const slide = slides[index];
    const section = slide && content(slide);
    if (!section) return [];
    const blocks = [...section.querySelectorAll('h1, h2, h3, h4, h5, h6, p, ul, ol')].filter((block) => {
      if (block.parentElement.closest('li, ul, ol, table, math') || !plain(block, section)) return false;
      if (block.dataset.autoScaling !== undefined) return false;
      return block.matches('ul, ol') ? simpleList(block) : wordsAlone(block, false);
    });
    const frame = slide.getBoundingClientRect();
    const scale = scaled(slide);
    const taken = blocks.map((block) => {
      const paragraphs = block.matches('ul, ol') ? items(slide, block, 0) : [paragraph(slide, block, 0, null)];
      const rect = block.getBoundingClientRect();
      const css = getComputedStyle(block);
      const [left, right] = [parseFloat(css.paddingLeft), parseFloat(css.paddingRight)];
      const list = block.matches('ul, ol');
      return {
        block,
        heading: /^H[12]$/.test(block.tagName),
        x: (rect.left - frame.left) * scale + (list ? 0 : left),
        width: rect.width * scale - (list ? 0 : left + right),
        paragraphs: paragraphs.filter(Boolean),
      };
    });
    const kept = taken.filter(({ paragraphs }) => paragraphs.length > 0);
    kept.forEach(({ block }) => block.setAttribute('data-foredeck-taken', ''));
    return kept.map(({ block, ...rest }) => rest);
  }

  globalThis.foredeck.texts = texts;
})();
