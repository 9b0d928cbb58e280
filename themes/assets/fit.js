// Makes what a live panel shows fit into its place: smaller type, down to what can still be read; then it is cut.

/** Sizes of type that are tried. */
const SCALES = [1, 0.92, 0.85, 0.78, 0.72, 0.66, 0.6];
/** From this size on long texts are cut with an ellipsis rather than everything being made smaller. */
const CUT = 0.78;

const over = (inner, outer) => inner > outer + 1;

function fits(body, inner, section, scale) {
  if (over(inner.offsetHeight, body.clientHeight) || over(inner.scrollWidth, body.clientWidth)) return false;
  if (section && over(section.scrollHeight, section.clientHeight)) return false;
  if (scale <= CUT) return true;
  for (const text of inner.querySelectorAll('.fd-clip')) if (over(text.scrollWidth, text.clientWidth)) return false;
  return true;
}

/** Chooses the largest type with which a figure's live body fits into the figure and the figure onto its slide. */
export function fitPanel(figure) {
  const body = figure.querySelector(':scope > .fd-panel');
  const inner = body?.firstElementChild;
  if (!inner) return;
  const section = figure.closest('section');
  for (const scale of SCALES) {
    body.style.setProperty('--fd-fit', String(scale));
    if (fits(body, inner, section, scale)) return;
  }
}
