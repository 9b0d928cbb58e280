// Presenter notes as the presenter view and the phone show them.

/** Puts the notes of a slide into a box, from the top, unless they are there already; `instead` stands in for none. */
export function showNotes(box, html, instead = '') {
  if (box.dataset.html === html) return;
  box.dataset.html = html;
  box.innerHTML = html || instead;
  // A paragraph that says what to do when the demo fails stands out.
  for (const paragraph of box.querySelectorAll('p')) {
    if (/^If it fails:/.test(paragraph.textContent.trim())) paragraph.classList.add('fd-runbook');
  }
  box.scrollTop = 0;
}
