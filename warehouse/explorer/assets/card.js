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
  if (data.links.length) root.append(links(data.links));
  if (data.text) root.append(element("p", "text muted", data.text));
  if (data.command) root.append(element("code", "", data.command));
  const details = data.facts.length ? [facts(data.facts)] : [];
  if (data.sound.length) details.push(sound(data.sound));
  if (data.chips.length) details.push(chips(data.chips));
  if (details.length) root.append(folded(details, open));
  if (data.preview) root.append(...player(data.preview));
  if (data.cover) root.prepend(cover(data.cover, data.title));

  function links(given) {
    const line = element("p", "subtitle", "");
    given.forEach(({ id, text, href }, position) => {
      const link = element("a", "", text);
      link.href = href;
      link.dir = "auto";
      link.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as ever
        event.preventDefault();
        setTriggerValue("followed", id);
      };
      if (position) line.append(", ");
      line.append(link);
    });
    return line;
  }

  function chips(given) {
    const list = element("ul", "chips");
    for (const { id, text, pressed } of given) {
      const words = element(pressed === null ? "span" : "button", "clip", text);
      words.dir = "auto";
      if (pressed !== null) {
        words.type = "button";
        words.title = pressed ? "Remove this filter" : "Show only tracks with this tag";
        words.setAttribute("aria-pressed", String(pressed));
        words.onclick = () => setTriggerValue("pressed", id);
      }
      const item = element("li", pressed ? "pressed" : "");
      item.append(words);
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

// One bar for each feature, as long as the share of the catalogue's tracks that have less of it.
function sound(features) {
  const figure = element("figure", "sound");
  figure.append(element("figcaption", "muted", "Sound: share of all tracks with less of it"));
  const list = element("ul", "");
  for (const { label, share, words } of features) {
    const meter = element("span", "meter", "");
    meter.setAttribute("role", "img");
    meter.setAttribute("aria-label", words);
    meter.append(element("span", "", ""));
    meter.firstChild.style.width = `${100 * share}%`;
    const item = element("li", "");
    item.title = words;
    item.append(element("span", "clip", label), meter);
    list.append(item);
  }
  figure.append(list);
  return figure;
}

// A picture that cannot be fetched leaves no gap.
function cover(url, title) {
  const image = element("img", "cover");
  image.alt = `Cover of ${title}`;
  image.referrerPolicy = "no-referrer";
  image.onerror = () => image.remove();
  image.src = url;
  return image;
}

function player(url) {
  const audio = element("audio", "");
  const failure = element("p", "text muted", "");
  failure.setAttribute("role", "status");
  audio.controls = true;
  audio.preload = "none"; // nothing is fetched from outside before a listener asks for it
  audio.onerror = () => {
    audio.hidden = true;
    failure.textContent = "This preview cannot be played.";
  };
  audio.src = url;
  return [audio, failure];
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}
