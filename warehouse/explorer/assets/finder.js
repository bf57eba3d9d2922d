// Search as you type. Asks the server 120 ms after the last key; shows an answer only if it is the
// one to the text that now stands there. Foreign text is set as text, never as HTML.
const PAUSE = 120;
const drawn = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".finder");
  const input = root.querySelector("input");
  const list = root.querySelector("ul");
  const none = root.querySelector(".none");
  const state = drawn.get(root) ?? { chosen: 0, timer: 0, rows: [], open: false };
  drawn.set(root, state);

  root.querySelector(".label").textContent = data.label;
  input.placeholder = data.placeholder;
  input.setAttribute("aria-label", data.label);
  if (data.text === input.value.trim()) {
    state.rows = data.rows;
    state.chosen = 0;
    draw();
  }

  function draw() {
    const asked = input.value.trim() !== "";
    const shown = state.open && asked && state.rows.length > 0;
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
    none.hidden = !(state.open && asked && data.text === input.value.trim() && !state.rows.length);
    none.textContent = "No matches. Try fewer letters, or only the artist.";
    list.replaceChildren(...state.rows.map(option));
    const chosen = list.children[state.chosen];
    input.setAttribute("aria-activedescendant", shown && chosen ? chosen.id : "");
    if (shown) chosen?.scrollIntoView({ block: "nearest" });
  }

  function option(row, position) {
    const item = document.createElement("li");
    item.id = `option-${position}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(position === state.chosen));
    for (const [kind, text] of [["name", row.name], ["artist muted", row.artist]]) {
      const part = document.createElement("span");
      part.className = `clip ${kind}`;
      part.dir = "auto";
      part.textContent = text;
      item.append(part);
    }
    item.onmousedown = (event) => {
      event.preventDefault(); // keep the focus in the field
      pick(position);
    };
    return item;
  }

  function pick(position) {
    const row = state.rows[position];
    if (!row) return;
    clearTimeout(state.timer);
    input.value = "";
    state.rows = [];
    state.open = false;
    draw();
    setTriggerValue("picked", row.track_id);
  }

  input.oninput = () => {
    state.open = true;
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setStateValue("text", input.value.trim()), PAUSE);
    if (!input.value.trim()) draw();
  };
  input.onfocus = () => {
    state.open = true;
    draw();
  };
  input.onblur = () => {
    state.open = false;
    draw();
  };
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && state.rows.length) {
      state.chosen = (state.chosen + step + state.rows.length) % state.rows.length;
      draw();
    } else if (event.key === "Enter") {
      pick(state.chosen);
    } else if (event.key === "Escape") {
      input.value = "";
      draw();
    } else {
      return;
    }
    event.preventDefault();
  };

  state.slash ??= listenForSlash(input);
  return () => document.removeEventListener("keydown", state.slash);
}

function listenForSlash(input) {
  const onSlash = (event) => {
    const typing = event.composedPath()[0]?.matches?.("input, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    input.focus();
  };
  document.addEventListener("keydown", onSlash);
  return onSlash;
}
