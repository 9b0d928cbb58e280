// The slides as they came, kept as text before anything touches them: live reload compares with it.

/** Text of each slide in `root`, as a parser reads it back. */
export function slideTexts(root) {
  return Array.from(root.children, (slide) => slide.outerHTML);
}

const deck = document.getElementById('deck');
const live = document.documentElement.dataset.mode === 'server' && document.documentElement.dataset.view !== 'next';

/** Present only where a reload can happen. */
export const baseline = deck && live ? slideTexts(deck) : [];
