// The trainer's page: a table that follows the room, hints, and the way back to a step's beginning.

const one = (selector, root = document) => root.querySelector(selector);
const body = one('[data-rows]');
const steps = [...document.querySelectorAll('th[data-step]')].map((cell) => cell.dataset.step);
const who = one('#who');
let offset = 0;
let learners = [];
let begun = false;

const PRESENCE = { away: 'away', starting: 'starting', here: '', failed: 'broken' };

function sign({ state, by }) {
  if (state === 'passed') return by === 'solution' ? ['✓s', 'done by the solution'] : by === 'hint' ? ['✓h', 'done with a hint'] : ['✓', 'done'];
  return state === 'in-progress' ? ['●', 'in progress'] : ['', 'to do'];
}

function ago(since) {
  const seconds = Math.max(0, Math.round((Date.now() + offset - since) / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function row(learner) {
  let line = one(`tr[data-id="${CSS.escape(learner.id)}"]`, body);
  if (!line) {
    line = document.createElement('tr');
    line.dataset.id = learner.id;
    const name = document.createElement('th');
    name.scope = 'row';
    name.append(document.createElement('span'), document.createElement('small'));
    line.append(name, ...steps.map(() => {
      const cell = document.createElement('td');
      const mark = document.createElement('span');
      mark.ariaHidden = 'true';
      const words = document.createElement('span');
      words.className = 'fd-quiet';
      cell.append(mark, words);
      return cell;
    }), document.createElement('td'));
    body.append(line);
    who.append(new Option(learner.name, learner.id));
  }
  set(one('th span', line), learner.name);
  set(one('th small', line), PRESENCE[learner.presence] ? ` ${PRESENCE[learner.presence]}` : '');
  line.dataset.presence = learner.presence;
  learner.cells.forEach((cell, index) => {
    const place = line.children[index + 1];
    const [mark, words] = sign(cell);
    place.dataset.state = cell.state;
    set(place.firstChild, mark);
    set(place.lastChild, words);
  });
}

function times() {
  for (const learner of learners) {
    const cell = one(`tr[data-id="${CSS.escape(learner.id)}"]`, body)?.lastChild;
    if (!cell) continue;
    const { stuck, problem } = learner;
    set(cell, problem ?? (stuck ? `${stuck.why} · for ${ago(stuck.since)}` : ''));
    cell.dataset.long = stuck && Date.now() + offset - stuck.since > 180_000 ? 'yes' : 'no';
  }
}

function show({ now, board }) {
  offset = now - Date.now();
  learners = board.learners;
  if (!begun && learners.length === 0) one('[data-join]').open = true;
  begun = true;
  one('[data-empty]')?.toggleAttribute('hidden', learners.length > 0);
  learners.forEach(row);
  times();
  const problem = one('[data-problem]');
  problem.textContent = board.problem ?? '';
  problem.hidden = !board.problem;
  set(one('[data-count]'), learners.length === 0 ? 'Nobody has joined yet.' : `${learners.length} of ${board.max} places taken`);
}

async function send(wish) {
  const said = one('[data-said]');
  said.textContent = '';
  try {
    const response = await fetch('/api/v1/trainer', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wish),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error([answer.error, answer.hint].filter(Boolean).join(' ') || `The server answers with ${response.status}.`);
    if (answer.url) said.textContent = `For this learner alone: ${answer.url}`;
    else if (answer.told !== undefined) said.textContent = answer.told === 0 ? 'There was no hint left to give.' : `Sent to ${answer.told}.`;
    else said.textContent = `${answer.begun} on their way back.`;
    return true;
  } catch (error) {
    said.textContent = error.message;
    return false;
  }
}

one('[data-form]').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = one('#text');
  if (await send({ do: 'hint', who: who.value || null, text: text.value })) text.value = '';
});
one('[data-do="restore"]').addEventListener('click', () => {
  const name = who.selectedOptions[0].textContent;
  if (window.confirm(`Put ${name} back? What was done since the beginning of the step is undone.`)) {
    send({ do: 'restore', who: who.value || null, step: one('#step').value || null });
  }
});
one('[data-do="link"]').addEventListener('click', () => {
  if (who.value) send({ do: 'link', who: who.value });
  else one('[data-said]').textContent = 'Choose a learner first.';
});

setInterval(times, 1000);
const source = new EventSource('/trainer/events');
source.addEventListener('board', ({ data }) => show(JSON.parse(data)));
source.addEventListener('error', () => { one('[data-count]').textContent = 'The server does not answer; trying again.'; });
