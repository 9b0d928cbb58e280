// Which key does what: the one table behind the listener and the help page.

/** `keys` are KeyboardEvent.key values; `shift` asks for (true) or forbids (false) Shift. */
export const BINDINGS = [
  { group: 'Move', action: 'next', keys: ['ArrowRight', 'ArrowDown', 'PageDown', ' '], shift: false, show: ['→', '↓', 'PgDn', 'Space'], label: 'Next step or slide' },
  { group: 'Move', action: 'previous', keys: ['ArrowLeft', 'ArrowUp', 'PageUp'], shift: false, show: ['←', '↑', 'PgUp', 'Shift Space'], label: 'Back' },
  { action: 'previous', keys: [' '], shift: true },
  { group: 'Move', action: 'nextSlide', keys: ['ArrowRight', 'ArrowDown', 'PageDown'], shift: true, show: ['Shift →'], label: 'Next slide, all its steps shown' },
  { group: 'Move', action: 'previousSlide', keys: ['ArrowLeft', 'ArrowUp', 'PageUp'], shift: true, show: ['Shift ←'], label: 'Previous slide, all its steps shown' },
  { group: 'Move', action: 'first', keys: ['Home'], show: ['Home'], label: 'First slide' },
  { group: 'Move', action: 'last', keys: ['End'], show: ['End'], label: 'Last slide' },
  { group: 'Move', action: 'goto', keys: ['g'], show: ['g', '12 Enter'], label: 'Go to a slide by number' },
  { group: 'Move', action: 'search', keys: ['/'], show: ['/'], label: 'Search the slides' },
  { group: 'Move', action: 'overview', keys: ['o'], show: ['o', 'Esc'], label: 'Overview' },
  { group: 'Show', action: 'fullscreen', keys: ['f', 'F11'], show: ['f', 'F11'], label: 'Fullscreen' },
  { group: 'Show', action: 'black', keys: ['b', 'B', '.'], show: ['b', '.'], label: 'Black screen, and back' },
  { group: 'Show', action: 'white', keys: ['w'], show: ['w'], label: 'White screen, and back' },
  { group: 'Show', action: 'zoom', keys: ['z'], show: ['z'], label: 'Zoom in at the pointer, and out' },
  { group: 'Show', action: 'laser', keys: ['l'], show: ['l'], label: 'Laser pointer' },
  { group: 'Show', action: 'qr', keys: ['q'], show: ['q'], label: 'QR code of the address to follow along' },
  { group: 'Speak', action: 'presenter', keys: ['p'], show: ['p'], label: 'Presenter view' },
  { group: 'Speak', action: 'freeze', keys: ['k'], show: ['k'], label: 'Freeze what the audience sees' },
  { group: 'Speak', action: 'timer', keys: ['t'], show: ['t'], label: 'Start or stop the timer' },
  { group: 'Speak', action: 'notesBigger', keys: ['+', '='], show: ['+'], label: 'Larger notes' },
  { group: 'Speak', action: 'notesSmaller', keys: ['-', '_'], show: ['−'], label: 'Smaller notes' },
  { group: 'Speak', action: 'swap', keys: ['s'], show: ['s'], label: 'Swap displays' },
  { group: 'Speak', action: 'start', keys: ['F5'], show: ['F5'], label: 'Start: fullscreen (what clickers send)' },
  { group: 'Speak', action: 'live', keys: ['a'], show: ['a'], label: 'Audience: back to the live slide' },
  { group: 'Demo', action: 'run', keys: ['r', 'Enter'], show: ['r', 'Enter'], label: 'Run the next step of the slide' },
  { group: 'Demo', action: 'undo', keys: ['u'], show: ['u'], label: 'Put the demo back to its checkpoint' },
  { group: 'Demo', action: 'replay', keys: ['x'], show: ['x'], label: 'Show the recorded run on this slide, and live again' },
  { group: 'Demo', action: 'results', keys: ['v'], show: ['v'], label: 'Show or hide the results of the poll' },
  { group: 'Help', action: 'help', keys: ['?', 'h', 'F1'], show: ['?'], label: 'This page' },
];

const TYPING = 'input, select, textarea, audio, video, [contenteditable]:not([contenteditable="false"])';
const PRESSABLE = 'button, a[href], summary, [role="button"], [role="separator"]';

function find(event) {
  const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  return BINDINGS.find((binding) =>
    binding.keys.includes(key) && (binding.shift === undefined || binding.shift === event.shiftKey));
}

/** Whether the key belongs to the element that has the focus. */
function taken(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  // Until the next frame the focus stays in a dialog that was just closed.
  if (target.closest('dialog:not([open])')) return false;
  if (target.closest(TYPING)) return true;
  if (target.closest('[role="separator"]') && event.key.startsWith('Arrow')) return true;
  return (event.key === ' ' || event.key === 'Enter') && Boolean(target.closest(PRESSABLE));
}

/** Starts listening. `actions` is a map of name → function; `modal()` says whether a dialog has the keys. */
export function installKeys({ actions, modal, digits, escape }) {
  window.addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    // A clicker's F5 must never reload the page, whatever is open.
    if (event.key === 'F5' && !event.ctrlKey && !event.metaKey) event.preventDefault();
    if (modal() || taken(event)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) return digits.type(event.key);
    if (digits.typed && (event.key === 'Enter' || event.key === 'Backspace' || event.key === 'Escape')) {
      event.preventDefault();
      return digits.end(event.key);
    }
    if (event.key === 'Escape') return escape(event);
    const binding = find(event);
    const act = binding && actions[binding.action];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && !['next', 'previous', 'nextSlide', 'previousSlide', 'notesBigger', 'notesSmaller'].includes(binding.action)) return;
    act(event);
  });
}
