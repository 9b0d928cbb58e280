// The talk's timer and plan: pure sums, and the lines that show them.

let offset = 0;

/** Learns how far this clock is from the server's. */
export function syncClock(state) {
  const now = state?.timer?.now_ms;
  if (typeof now === 'number') offset = now - Date.now();
}

/** What time it is for the server. */
export const serverNow = () => Date.now() + offset;

/** Milliseconds the timer shows. */
export function elapsed(timer, now = Date.now() + offset) {
  if (!timer) return 0;
  return Math.max(0, timer.elapsed_ms + (timer.running ? now - timer.at_ms : 0));
}

/** `4:05`, `1:04:05`. */
export function clockText(ms) {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${hours ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Index of the plan's section that a slide belongs to; -1 before the first. */
export function sectionOf(plan, slide) {
  let at = -1;
  plan.forEach((section, i) => { if (section.slide <= slide) at = i; });
  return at;
}

/** Milliseconds that should have passed when `slide` is shown; null without planned minutes. */
export function planned(plan, slide, count) {
  const at = sectionOf(plan, slide);
  if (plan.length === 0 || plan.some((section) => section.minutes === null || section.minutes === undefined)) return null;
  if (at < 0) return 0;
  const before = plan.slice(0, at).reduce((sum, section) => sum + section.minutes, 0);
  const end = plan[at + 1]?.slide ?? count;
  const share = (slide - plan[at].slide) / Math.max(end - plan[at].slide, 1);
  return (before + share * plan[at].minutes) * 60_000;
}

/** Minutes as written in a plan. */
const minutesText = (minutes) => (minutes === null || minutes === undefined ? '' : `${Number.isInteger(minutes) ? minutes : minutes.toFixed(1)} min`);

/** The list of sections with the time spent in each. */
export class PlanView {
  #spent = [];
  #last = null;
  #rows = [];

  constructor(list, { plan, name, go }) {
    this.list = list;
    this.go = go;
    this.name = `foredeck-plan-${name}`;
    try {
      this.#spent = JSON.parse(sessionStorage.getItem(this.name) ?? '[]');
    } catch {
      this.#spent = [];
    }
    this.set(plan);
  }

  set(plan) {
    this.plan = plan ?? [];
    this.list.hidden = this.plan.length === 0;
    this.#rows = this.plan.map((section) => {
      const row = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      const [title, spent, minutes] = ['title', 'spent', 'minutes'].map((name) => {
        const cell = document.createElement('span');
        cell.className = `fd-plan-${name}`;
        return cell;
      });
      title.textContent = section.title;
      minutes.textContent = minutesText(section.minutes);
      button.append(title, spent, minutes);
      button.addEventListener('click', () => this.go(section.slide));
      row.append(button);
      return { row, spent };
    });
    this.list.replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** Adds the time since the last call to the section on screen. */
  tick(ms, slide) {
    const at = sectionOf(this.plan, slide);
    if (this.#last !== null && ms < this.#last) this.#spent = [];
    else if (this.#last !== null && at >= 0) this.#spent[at] = (this.#spent[at] ?? 0) + (ms - this.#last);
    this.#last = ms;
    this.#rows.forEach(({ row, spent }, i) => {
      const time = this.#spent[i] ?? 0;
      spent.textContent = time > 0 ? clockText(time) : '';
      if (i !== at) row.removeAttribute('aria-current');
      else if (!row.hasAttribute('aria-current')) {
        row.setAttribute('aria-current', 'step');
        row.scrollIntoView({ block: 'nearest' });
      }
      const limit = (this.plan[i].minutes ?? Infinity) * 60_000;
      row.classList.toggle('fd-over', time > limit);
      row.style.setProperty('--share', String(Number.isFinite(limit) && limit > 0 ? Math.min(time / limit, 1) : 0));
    });
    try {
      sessionStorage.setItem(this.name, JSON.stringify(this.#spent));
    } catch {
      // Without storage a reload forgets the sections' times, nothing more.
    }
  }
}
