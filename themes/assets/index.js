// The list of decks: filters while typing; "/" goes to the field, arrows go through the decks.

const field = document.getElementById('fd-filter');
const items = [...document.querySelectorAll('#fd-decks > li')];
const none = document.getElementById('fd-none');

function filter() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const item of items) {
    const text = item.dataset.text.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
    if (!item.hidden) left += 1;
  }
  if (items.length > 0) none.hidden = left > 0;
}

field.addEventListener('input', filter);
filter();

window.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const links = items.filter((item) => !item.hidden).map((item) => item.querySelector('a'));
  const at = links.indexOf(document.activeElement);
  if (event.key === '/' && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape' && document.activeElement === field) {
    field.value = '';
    filter();
  } else if (event.key === 'Enter' && document.activeElement === field) links[0]?.click();
  else if (event.key === 'ArrowDown' && document.activeElement === field) links[0]?.focus();
  else if (at >= 0 && (event.key === 'ArrowRight' || event.key === 'ArrowDown')) links[at + 1]?.focus();
  else if (at >= 0 && (event.key === 'ArrowLeft' || event.key === 'ArrowUp')) links[at - 1]?.focus();
  else return;
  if (event.key.startsWith('Arrow')) event.preventDefault();
});
