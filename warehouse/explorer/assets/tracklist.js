// A list of tracks. Everything from the catalogue is set as text: HTML, Markdown and marks that
// turn the direction of writing stay what they are, letters in their own box.
const drawn = new WeakMap();
const PLAY = "M2 1l9 5-9 5z";
const PAUSE = "M2 1h3v10H2zM7 1h3v10H7z";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".tracklist");
  const list = root.querySelector("ol");
  const audio = root.querySelector("audio");
  const none = root.querySelector(".none");
  const state = drawn.get(root) ?? { playing: null, subject: null, token: null, base: null, settled: true };
  drawn.set(root, state);
  list.setAttribute("aria-label", data.label);
  list.dataset.token = data.token;
  remember();
  none.textContent = data.rows.length ? "" : data.empty;
  const focused = root.getRootNode().activeElement?.dataset?.focus;
  list.replaceChildren(...data.rows.map(line));
  if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  offerSql();
  if (state.playing && !data.rows.some((row) => row.track_id === state.playing)) stop();

  // Marks compare with the list at the weight before the slider was moved, not with each step of a drag.
  function remember() {
    if (data.subject !== state.subject) state.ranks = state.base = null;
    else if (data.token !== state.token && state.settled) state.base = state.ranks;
    state.subject = data.subject;
    state.token = data.token;
    state.settled = data.settled;
    state.ranks = new Map(data.rows.map((row) => [row.track_id, row.rank]));
  }

  function moved(row) {
    const before = state.base?.get(row.track_id);
    if (!state.base || before === row.rank) return "";
    if (before === undefined) return mark("new", "new", "new in the list");
    const steps = Math.abs(before - row.rank);
    return before > row.rank ? mark("up", `▲${steps}`, `up ${steps}`) : mark("down", `▼${steps}`, `down ${steps}`);
  }

  function mark(kind, text, words) {
    const made = element("span", `moved ${kind}`, text);
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", words);
    return made;
  }

  function offerSql() {
    const button = root.querySelector(".copy");
    button.textContent = "Copy as SQL";
    button.onclick = async () => {
      button.textContent = (await copied(data.sql)) ? "Copied" : "Cannot copy here";
    };
  }

  function line(row) {
    const item = element("li", "");
    item.dataset.trackId = row.track_id;
    const rank = element("span", "rank muted", String(row.rank));
    rank.append(moved(row));
    item.append(rank, tile(row), words(row), scores(row), actions(row));
    if (data.explained?.track_id === row.track_id) item.append(explanation(data.explained));
    return item;
  }

  function tile(row) {
    const box = element("span", "tile");
    if (row.genre) {
      box.style.setProperty("--hue", hue(row.genre));
      box.title = row.genre;
    }
    if (row.cover) box.append(cover(row));
    if (row.preview) box.append(player(row));
    return box;
  }

  // One that cannot be fetched leaves the colour of the genre.
  function cover(row) {
    const image = element("img", "cover", undefined);
    image.alt = `Cover of ${row.name}`;
    image.loading = "lazy";
    image.referrerPolicy = "no-referrer";
    image.onerror = () => image.remove();
    image.src = row.cover;
    return image;
  }

  function player(row) {
    const button = element("button", "play");
    button.type = "button";
    button.dataset.focus = `play ${row.track_id}`;
    button.setAttribute("aria-label", `Preview of ${row.name}`);
    button.onclick = () => (state.playing === row.track_id ? stop() : start(row));
    paint(button, state.playing === row.track_id);
    return button;
  }

  function paint(button, playing) {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 12 12");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", playing ? PAUSE : PLAY);
    icon.append(path);
    button.replaceChildren(icon);
    button.setAttribute("aria-pressed", String(playing));
  }

  function start(row) {
    state.playing = row.track_id;
    audio.src = row.preview;
    audio.onended = stop;
    audio.onerror = () => {
      stop();
      none.textContent = "This preview cannot be played.";
    };
    audio.play().catch(() => {}); // a failure is told by onerror
    repaint();
  }

  function stop() {
    state.playing = null;
    audio.onerror = null;
    audio.pause();
    audio.removeAttribute("src");
    repaint();
  }

  function repaint() {
    for (const item of list.children) {
      const button = item.querySelector(".play");
      if (button) paint(button, item.dataset.trackId === state.playing);
    }
  }

  function words(row) {
    const box = element("div", "words");
    const song = element("div", "song");
    const link = element("a", "clip name", row.name);
    link.href = row.link;
    link.dir = "auto";
    link.dataset.focus = `open ${row.track_id}`;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as ever
      event.preventDefault();
      setTriggerValue("opened", row.track_id);
    };
    const artist = element("span", "clip artist muted", row.artist);
    artist.dir = "auto";
    song.append(link, artist);
    const reason = element("div", "reason muted clip");
    if (row.badge) reason.append(element("span", "badge", row.badge));
    reason.append(row.reason.before);
    if (row.reason.track) reason.append(" ", element("b", "", row.reason.track));
    if (row.reason.after) reason.append(row.reason.after);
    box.append(song, reason);
    return box;
  }

  function scores(row) {
    const box = element("div", "parts muted");
    if (row.score === null) {
      box.textContent = row.count;
      return box;
    }
    const bar = element("div", "bar");
    for (const [kind, share] of [["d", row.content_part], ["c", row.collaborative_part]]) {
      const part = element("span", kind);
      part.style.width = `${100 * share}%`;
      bar.append(part);
    }
    box.append(bar, row.score.toFixed(3));
    box.title = `content ${row.content_score.toFixed(3)}, collaborative ${row.collaborative_score.toFixed(3)}`;
    return box;
  }

  function actions(row) {
    if (!data.action) return element("span", "");
    const open = data.explained?.track_id === row.track_id;
    const button = element("button", "act", data.action === "explained" && open ? "Close" : data.action_label);
    button.type = "button";
    button.dataset.focus = `act ${row.track_id}`;
    button.setAttribute("aria-label", `${data.action_label} ${row.name}`);
    button.onclick = () => setTriggerValue(data.action, open ? "" : row.track_id);
    if (data.action === "explained" && !row.because) button.style.visibility = "hidden";
    return button;
  }

  function explanation(why) {
    const box = element("div", "why");
    box.setAttribute("role", "status");
    box.append(why.reason, element("span", "scores muted", why.scores));
    return box;
  }
  return stop;
}

// A genre has the same colour on every page.
function hue(text) {
  let hash = 0;
  for (const letter of text) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return String(hash);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the page is neither local nor on HTTPS, or the browser was asked and refused
  }
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}
