// Recorded runs in the place of the live system: the key `x`, and what the speaker is offered.

import { ask } from './steps.js';

/** Adds the action of the key; fills `box`, the speaker's line about it. Returns { draw() }. */
export function installReplay(app, box) {
  const { link, deck, boot, toast, announce } = app;
  const speaks = boot.role === 'presenter' && !boot.follow;
  let data = link.last?.replay ?? null;
  let offered = '';

  async function turn() {
    if (!speaks) return toast('That is for the speaker.');
    try {
      const { on } = await ask('/api/v1/replay', { deck: boot.deck, slide: deck.index });
      if (data?.always) toast('Everything is from the recorded run: there is no live demo.');
      else announce(on ? 'From the recorded run' : 'Live');
    } catch (error) {
      toast([error.message, error.hint].filter(Boolean).join(' '));
    }
    return undefined;
  }

  const words = () => {
    if (!data) return '';
    if (data.always) return `Everything is from the ${data.label}`;
    if (data.on) return `This slide is from the ${data.label}: x goes live again`;
    return data.offer;
  };

  function draw() {
    if (box) {
      const text = words();
      box.hidden = !text;
      if (box.textContent !== text) box.textContent = text;
      box.dataset.state = data?.on ? 'on' : 'offer';
    }
    if (speaks && data?.offer && data.offer !== offered) toast(data.offer);
    offered = data?.offer ?? '';
  }

  link.addEventListener('replay', ({ detail }) => {
    data = detail;
    draw();
  });
  Object.assign(app.actions, { replay: turn });
  draw();
  return { draw };
}
