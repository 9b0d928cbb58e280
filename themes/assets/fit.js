// Makes what a live panel shows fit into its place: long texts are cut, and type gets smaller, down to what can be read.

/** Sizes of type that are tried. */
const SCALES = [1, 0.92, 0.85, 0.78, 0.72, 0.66, 0.6];
/** Texts that do not even fit at this size are cut, rather than everything being made smaller for their sake. */
const CUT = 0.85;

const over = (inner, outer) => inner > outer + 1;

const cuts = (inner) => [...inner.querySelectorAll('.fd-clip')].some((text) => over(text.scrollWidth, text.clientWidth));

/** Chooses the largest type with which a figure's live body fits into the figure and the figure onto its slide. */
export function fitPanel(figure) {
  const body = figure.querySelector(':scope > .fd-panel');
  const inner = body?.firstElementChild;
  if (!inner) return;
  const section = figure.closest('section');
  const at = (scale) => body.style.setProperty('--fd-fit', String(scale));
  const wide = () => over(inner.scrollWidth, inner.clientWidth);
  const high = () => over(inner.offsetHeight, body.clientHeight) || Boolean(section && over(section.scrollHeight, section.clientHeight));
  inner.classList.remove('fd-tight');
  at(1);
  if (!high() && !wide() && !cuts(inner)) return;
  at(CUT);
  const cut = wide() || cuts(inner);
  inner.classList.toggle('fd-tight', cut);
  for (const scale of SCALES) {
    at(scale);
    if (!high() && !wide() && (cut || !cuts(inner))) return;
  }
}
