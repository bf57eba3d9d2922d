// Questions with their answers. Foreign text is set as text; what is between backticks is code.
export default function ({ data, parentElement }) {
  parentElement.querySelector(".answers").replaceChildren(...data.answers.map(section));
}

function section({ question, answer, state, more, lines }) {
  const box = element("section", "");
  box.dataset.state = state;
  box.append(element("h2", "muted", question));
  if (answer) box.append(marked(element("p", "answer"), answer));
  for (const text of more) box.append(marked(element("p", "more"), text));
  if (lines.length) box.append(list(lines));
  return box;
}

function list(lines) {
  const made = element("dl", "");
  for (const { label, value, state } of lines) {
    const pair = element("div", "");
    const shown = element("dd", "");
    if (state) shown.append(element("b", "", state), " ");
    shown.append(element("span", "muted", unbroken(value)));
    pair.append(element("dt", "", label), shown);
    made.append(pair);
  }
  return made;
}

function marked(target, text) {
  unbroken(text).split("`").forEach((part, position) => {
    if (part) target.append(position % 2 ? element("code", "", part) : part);
  });
  return target;
}

// No line ends within "5 %" or "1.0 to 2.0".
function unbroken(text) {
  return text.replaceAll(" %", "\u00a0%").replace(/(\d) to (?=[−\d])/g, "$1\u00a0to\u00a0");
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}
