// Who moves whom: local moves go up, the shared position comes down, and a viewer may browse away and come back.

import { deckPath } from './url.js';

/** Joins deck and link. Returns { following, settle(), live() }. */
export function installFollow({ boot, deck, link, view, pill }) {
  const audienceFollows = boot.follow === true;
  let following = audienceFollows || link.drive;
  let joined = boot.mode === 'file';
  let wasLive = false;
  // A reload comes back to where the talk is; an address with a slide in it, typed or clicked, says where to go.
  const kind = performance.getEntriesByType('navigation')[0]?.type;
  const asked = location.hash.length > 1 && kind !== 'reload' && kind !== 'back_forward';

  const mine = (state) => state.deck === boot.deck;
  const push = () => link.send({ do: 'goto', deck: boot.deck, slide: deck.index, fragment: deck.fragment });

  // The server holds the audience still; the speaker's own projector window does it by itself.
  const frozen = (state) => state.freeze && joined && link.drive && view !== 'presenter';

  const update = () => {
    const state = link.state;
    const away = audienceFollows && !following && state && (!mine(state) || state.slide !== deck.index || state.fragment !== deck.fragment);
    pill.hidden = !away;
    document.documentElement.dataset.follow = audienceFollows ? (following ? 'live' : 'away') : 'none';
  };

  const take = (state) => {
    if (!mine(state)) {
      // The talk went on in another deck. Windows that only look go with it.
      if (audienceFollows) location.assign(`${deckPath(state.deck)}?follow`);
      else if (link.drive && wasLive && view === 'present') location.assign(deckPath(state.deck));
      return;
    }
    wasLive = true;
    if (!frozen(state)) deck.go(state.slide, state.fragment, joined ? 'remote' : 'start');
    joined = true;
  };

  deck.addEventListener('change', ({ detail }) => {
    if (detail.cause === 'user') {
      if (link.drive) push();
      else if (audienceFollows) following = false;
    }
    update();
  });

  link.addEventListener('state', ({ detail: { state, position, restarted } }) => {
    if (restarted && link.drive && wasLive) push();
    else if (position && following) {
      if (!joined && asked && link.drive && boot.mode === 'server' && view !== 'presenter') {
        joined = true;
        wasLive = true;
        if (state.slide !== deck.index || state.fragment !== deck.fragment || !mine(state)) push();
      } else take(state);
    }
    update();
  });
  link.addEventListener('status', ({ detail }) => {
    if (detail === 'refused') following = audienceFollows;
    update();
  });

  update();
  return {
    get following() { return following; },
    /** After the slides changed: the shared position may mean another slide, or ours may have moved. */
    settle(moved) {
      if (link.drive && wasLive && moved) push();
      else if (following && link.state) take(link.state);
      update();
    },
    live() {
      if (!audienceFollows || !link.state) return false;
      following = true;
      take(link.state);
      update();
      return true;
    },
  };
}
