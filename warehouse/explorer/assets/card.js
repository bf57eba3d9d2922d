// A heading with facts, chips and a preview; or a notice. Foreign text is set as text.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".card");
  root.classList.toggle("notice", data.notice);
  root.setAttribute("aria-label", data.title);
  const open = root.querySelector("details")?.open;
  root.classList.toggle("playable", Boolean(data.preview));
  const title = element(data.notice ? "h2" : "h1", "", data.title);
  title.dir = "auto";
  root.replaceChildren(title);
  if (data.subtitle) {
    const subtitle = element("p", "subtitle muted", data.subtitle);
    subtitle.dir = "auto";
    root.append(subtitle);
  }
  if (data.text) root.append(element("p", "text muted", data.text));
  if (data.command) root.append(element("code", "", data.command));
  const removable = data.chips.some((chip) => chip.removable);
  const details = data.facts.length ? [facts(data.facts)] : [];
  if (data.chips.length && !removable) details.push(chips(data.chips));
  if (removable) root.append(chips(data.chips));
  if (details.length) root.append(folded(details, open));
  if (data.preview) root.append(player(data.preview));

  function chips(given) {
    const list = element("ul", "chips");
    for (const { id, text, removable } of given) {
      const item = element("li", "");
      const words = element("span", "clip", text);
      words.dir = "auto";
      item.append(words);
      if (removable) {
        const button = element("button", "", "×");
        button.type = "button";
        button.setAttribute("aria-label", `Remove ${text}`);
        button.onclick = () => setTriggerValue("removed", id);
        item.append(button);
      }
      list.append(item);
    }
    return list;
  }
}

// On a narrow page, facts and tags are folded, so that the list is on the first screen.
function folded(parts, open) {
  const narrow = matchMedia("(max-width: 640px)");
  const made = element("details", "");
  made.append(element("summary", "muted", "Details"), ...parts);
  made.open = narrow.matches ? Boolean(open) : true;
  narrow.onchange = () => (made.open = !narrow.matches);
  return made;
}

function facts(given) {
  const list = element("dl", "facts");
  for (const [label, value] of given) {
    const pair = element("div", "");
    pair.append(element("dt", "muted", label), element("dd", "clip", value));
    list.append(pair);
  }
  return list;
}

function player(url) {
  const audio = element("audio", "");
  audio.controls = true;
  audio.preload = "none"; // nothing is fetched from outside before a listener asks for it
  audio.src = url;
  return audio;
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}
