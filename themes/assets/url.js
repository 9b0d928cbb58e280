// Marp's URL contract: #N is the slide, ?f=K the fragment, ?view= the view; history is replaced, links are kept.

const BURST = 40;
const VIEWS = ['presenter', 'overview', 'next'];

/** The view the address asks for; `present` when it names none. */
export function viewOf(search = location.search) {
  const view = new URLSearchParams(search).get('view');
  return VIEWS.includes(view) ? view : 'present';
}

/** The address without its hash, with some query keys changed (null removes). */
export function address(changes = {}) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined) query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString().replace(/=(?=&|$)/g, '');
  return location.pathname + (text ? `?${text}` : '');
}

/** Where the server has a deck. */
export function deckPath(slug) {
  return `/d/${slug.split('/').map(encodeURIComponent).join('/')}/`;
}

/** Position that the address names. */
export function readPosition(deck, { fragment = true } = {}) {
  const hash = decode(location.hash.slice(1));
  const wanted = Number.parseInt(new URLSearchParams(location.search).get('f') ?? '', 10);
  const f = fragment && Number.isFinite(wanted) ? wanted : null;
  if (/^\d+$/.test(hash)) return { index: Math.max(Number(hash), 1) - 1, fragment: f ?? 0 };
  const found = deck.find(hash);
  if (found) return { index: found.index, fragment: f ?? found.fragment };
  return { index: 0, fragment: f ?? 0 };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Keeps address and deck in step. */
export function installUrl({ deck, view }) {
  if (view === 'next') return;
  let timer = 0;
  let writes = 0;
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    writes += 1;
    const { index, fragment } = deck;
    try {
      // The whole path: a <base> must not pull the address into the deck's files.
      history.replaceState(history.state, '', `${address({ f: fragment || null })}#${index + 1}`);
    } catch {
      // Browsers limit how often this may be called; the next move writes it again.
    }
  };
  deck.addEventListener('change', () => {
    // Held-down keys: browsers stop listening after some 200 writes in half a minute.
    if (writes < BURST) write();
    else timer ||= setTimeout(write, 500);
    if (writes === 1) setTimeout(() => { writes = 0; }, 10_000);
  });

  window.addEventListener('hashchange', () => {
    const { index, fragment } = readPosition(deck, { fragment: false });
    deck.go(index, fragment);
    write();
  });

  // With <base>, "#id" would leave the page: links inside the deck are ours.
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.('#deck a[href]');
    const href = link?.getAttribute('href') ?? '';
    if (!href.startsWith('#')) return;
    event.preventDefault();
    if (href === location.hash) {
      const { index, fragment } = readPosition(deck, { fragment: false });
      deck.go(index, fragment);
    } else {
      history.pushState(history.state, '', `${address({ f: null })}${href}`);
      const { index, fragment } = readPosition(deck, { fragment: false });
      deck.go(index, fragment);
    }
  });
  window.addEventListener('popstate', () => {
    const { index, fragment } = readPosition(deck);
    deck.go(index, fragment);
  });
}
