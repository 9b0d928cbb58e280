// Search, go to, help, QR code, toasts and typed digits.

import { BINDINGS } from './keys.js';

const dialog = (id) => document.getElementById(id);

/** Whether a dialog has the keyboard. */
export function modal() {
  return Boolean(document.querySelector('dialog[open]'));
}

function installClosing() {
  for (const box of document.querySelectorAll('dialog.fd-dialog')) {
    // A click on the backdrop is a click on the dialog element itself.
    box.addEventListener('click', (event) => event.target === box && box.close());
    box.querySelector('[data-close]')?.addEventListener('click', () => box.close());
  }
}

/** Slides whose title or text has every word, titles first. */
export function searchSlides(query, titles, texts) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const hits = [];
  for (let index = 0; index < texts.length; index += 1) {
    const title = (titles[index] ?? '').toLowerCase();
    const text = `${title}\n${(texts[index] ?? '').toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) continue;
    hits.push({ index, rank: words.every((word) => title.includes(word)) ? 0 : 1, words });
  }
  return hits.sort((a, b) => a.rank - b.rank || a.index - b.index);
}

/** Text around the first hit, as nodes with the hits marked. */
function excerpt(text, words) {
  const flat = text.replace(/\s+/g, ' ').trim();
  const at = Math.max(0, flat.toLowerCase().indexOf(words[0]) - 30);
  const part = (at > 0 ? '…' : '') + flat.slice(at, at + 110);
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'gi');
  return part.split(pattern).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const mark = document.createElement('mark');
    mark.textContent = piece;
    return mark;
  });
}

function installSearch({ deck, boot }) {
  const box = dialog('fd-search');
  const input = box.querySelector('input');
  const list = box.querySelector('[role="listbox"]');
  const count = box.querySelector('[role="status"]');
  let chosen = 0;

  const choose = (index) => {
    box.close();
    deck.go(index, Infinity);
  };
  const select = (to) => {
    const options = [...list.children];
    if (options.length === 0) {
      input.removeAttribute('aria-activedescendant');
      return;
    }
    chosen = (to + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute('aria-selected', String(i === chosen)));
    options[chosen].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', options[chosen].id);
  };
  const update = () => {
    const hits = searchSlides(input.value, boot.titles ?? [], boot.texts ?? []).slice(0, 100);
    list.replaceChildren(...hits.map(({ index, words }) => {
      const option = document.createElement('li');
      option.id = `fd-hit-${index}`;
      option.role = 'option';
      const number = document.createElement('span');
      number.className = 'fd-hit-number';
      number.textContent = String(index + 1);
      const body = document.createElement('span');
      body.className = 'fd-hit-body';
      const title = document.createElement('strong');
      title.textContent = boot.titles?.[index] || `Slide ${index + 1}`;
      const text = document.createElement('span');
      text.append(...excerpt(boot.texts?.[index] ?? '', words));
      body.append(title, text);
      option.append(number, body);
      option.addEventListener('click', () => choose(index));
      return option;
    }));
    list.hidden = hits.length === 0;
    count.textContent = input.value.trim() === '' ? 'Type a word of the slide you look for' : hits.length === 0 ? 'No slide has that' : `${hits.length} ${hits.length === 1 ? 'slide' : 'slides'}`;
    select(0);
  };
  input.addEventListener('input', update);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') select(chosen + 1);
    else if (event.key === 'ArrowUp') select(chosen - 1);
    else if (event.key === 'Enter') list.children[chosen]?.click();
    else return;
    event.preventDefault();
  });
  return () => {
    input.value = '';
    update();
    box.showModal();
    input.focus();
  };
}

function installGoto({ deck }) {
  const box = dialog('fd-goto');
  const input = box.querySelector('input');
  box.querySelector('form').addEventListener('submit', () => {
    const number = Number.parseInt(input.value, 10);
    if (number >= 1) deck.go(number - 1, 0);
  });
  return () => {
    input.max = String(deck.count);
    input.value = '';
    input.placeholder = `1–${deck.count}`;
    box.showModal();
    input.focus();
  };
}

function installHelp() {
  const box = dialog('fd-help');
  const body = box.querySelector('.fd-help-groups');
  const groups = new Map();
  for (const { group, show, label } of BINDINGS) {
    if (!show) continue;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push({ show, label });
  }
  for (const [name, rows] of groups) {
    const section = document.createElement('section');
    const title = document.createElement('h3');
    title.textContent = name;
    const list = document.createElement('dl');
    for (const { show, label } of rows) {
      const term = document.createElement('dt');
      term.append(...show.flatMap((key, i) => {
        const cap = document.createElement('kbd');
        cap.textContent = key;
        return i === 0 ? [cap] : [' ', cap];
      }));
      const meaning = document.createElement('dd');
      meaning.textContent = label;
      const row = document.createElement('div');
      row.append(term, meaning);
      list.append(row);
    }
    section.append(title, list);
    body.append(section);
  }
  return () => (box.open ? box.close() : box.showModal());
}

/** Two codes for the speaker: for the room, and for the speaker's phone. */
function installCodes({ boot, actions }) {
  const box = dialog('fd-qr');
  box.querySelector('[data-do="showQr"]').addEventListener('click', () => {
    box.close();
    actions.showQr();
  });
  return () => {
    for (const figure of box.querySelectorAll('figure')) {
      const which = figure.dataset.for;
      const link = boot.links?.[which] ?? (which === 'audience' ? `${location.origin}/a` : null);
      figure.hidden = !link;
      const image = figure.querySelector('img');
      if (link && !image.getAttribute('src')) image.src = `/api/v1/qr.svg?for=${which}`;
      figure.querySelector('code').textContent = link ? link.replace(/\?.*$/, which === 'remote' ? '?…' : '') : '';
    }
    box.showModal();
  };
}

/** Digits typed one after the other; Enter goes there. */
function installDigits({ deck }) {
  const hud = document.getElementById('fd-digits');
  let typed = '';
  let timer = 0;
  const draw = () => {
    hud.hidden = typed === '';
    hud.firstElementChild.textContent = typed;
    clearTimeout(timer);
    if (typed) timer = setTimeout(() => { typed = ''; draw(); }, 4000);
  };
  return {
    get typed() { return typed !== ''; },
    type(digit) {
      typed = (typed + digit).slice(0, 5);
      draw();
    },
    end(key) {
      if (key === 'Backspace') typed = typed.slice(0, -1);
      else {
        const number = Number.parseInt(typed, 10);
        typed = '';
        if (key === 'Enter' && number >= 1) deck.go(number - 1, 0);
      }
      draw();
    },
  };
}

/** Short messages at the edge of the screen. */
export function installToast() {
  const box = document.getElementById('fd-toast');
  let timer = 0;
  return (text) => {
    box.textContent = text;
    box.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { box.hidden = true; }, 3500);
  };
}

export function installDialogs(app) {
  installClosing();
  return {
    search: installSearch(app),
    goto: installGoto(app),
    help: installHelp(),
    codes: installCodes(app),
    digits: installDigits(app),
  };
}
