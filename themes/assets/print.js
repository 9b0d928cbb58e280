// What an export asks the page of slides: evaluated in it once it is loaded. The value is an object of functions.
(() => {
  const slides = [...document.querySelectorAll('svg[data-marpit-svg]')];
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  // A page that is in the background may get no frames.
  const frame = () => Promise.race([new Promise(requestAnimationFrame), sleep(100)]);
  const words = (element) => element.textContent.replace(/\s+/g, ' ').trim();
  /** The section with the slide's content; advanced backgrounds have layers around it. */
  const content = (slide) =>
    slide.querySelector('section[data-marpit-advanced-background="content"]') ?? slide.querySelector('section');
  /** A box in the slide's own pixels. */
  const box = (slide, rect) => {
    const frame = slide.getBoundingClientRect();
    const scale = slide.viewBox.baseVal.width / frame.width;
    return {
      x: (rect.left - frame.left) * scale,
      y: (rect.top - frame.top) * scale,
      width: rect.width * scale,
      height: rect.height * scale,
    };
  };
  const visible = (rect) => rect.width > 0.5 && rect.height > 0.5;

  /** Waits for fonts, pictures, and headings that fit themselves. */
  async function ready() {
    for (const image of document.images) image.loading = 'eager';
    await document.fonts.ready;
    const pictures = [...document.images].map((image) => image.decode().catch(() => {}));
    await Promise.race([Promise.all(pictures), sleep(5000)]);
    await frame();
    await frame();
    return slides.length;
  }

  /** Brings a slide into view. */
  function show(index) {
    const slide = slides[index];
    if (!slide) return false;
    scrollTo({ top: scrollY + slide.getBoundingClientRect().top, behavior: 'instant' });
    return true;
  }

  /** All headings: where, how deep, and what they say. */
  function headings() {
    return slides.flatMap((slide, index) =>
      [...(content(slide)?.querySelectorAll('h1, h2, h3, h4, h5, h6') ?? [])]
        .map((heading) => ({
          slide: index,
          level: Number(heading.localName[1]),
          text: words(heading),
          top: box(slide, heading.getBoundingClientRect()).y,
        }))
        .filter(({ text }) => text !== ''),
    );
  }

  /** Where a link leads: an address, or the number of a slide. */
  function target(link) {
    const inside = link.getAttribute('href').match(/^#(\d+)$/);
    return inside ? { slide: Number(inside[1]) } : { href: link.href };
  }

  /** The boxes of all links of a slide, but for those in texts that were taken. */
  function links(index) {
    const slide = slides[index];
    if (!slide) return [];
    const left = [...slide.querySelectorAll('a[href]')].filter((link) => !link.closest('[data-foredeck-taken]'));
    return left.flatMap((link) => {
      return [...link.getClientRects()].filter(visible).map((rect) => ({ ...box(slide, rect), ...target(link) }));
    });
  }

  /** Whether an emoji is drawn in colours. */
  function emoji() {
    const canvas = new OffscreenCanvas(32, 32);
    const context = canvas.getContext('2d');
    context.font = '24px sans-serif';
    context.fillText('\u{1f600}', 2, 26);
    const { data } = context.getImageData(0, 0, 32, 32);
    for (let at = 0; at < data.length; at += 4) {
      if (Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 60) return true;
    }
    return false;
  }

  return (globalThis.foredeck = { ready, show, headings, links, emoji });
})();
