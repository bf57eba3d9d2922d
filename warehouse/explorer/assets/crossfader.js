// The slider sends its newest place, one question at a time: the next one goes out when the server
// has echoed the last, so that the list follows the hand and nothing piles up.
const PATIENCE = 2000;
const drawn = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".crossfader");
  const slider = root.querySelector("input");
  const output = root.querySelector("output");
  const state = drawn.get(root) ?? { asked: null, waiting: null, held: false };
  drawn.set(root, state);

  const place = Math.round(data.weight * 100);
  root.querySelector(".mark").style.left = `calc(0.55rem + (100% - 1.1rem) * ${data.suggested})`;
  if (state.asked !== null && state.asked.key === data.echo) settle();
  if (!state.held && state.asked === null) slider.value = String(place);
  say();
  root.querySelector(".presets").replaceChildren(...data.presets.map(preset));

  function say() {
    const share = Number(slider.value);
    output.textContent = `${share} % collaborative, ${100 - share} % content`;
    slider.setAttribute("aria-valuetext", output.textContent);
  }

  function preset({ label, share, help, pressed }) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.title = help;
    button.setAttribute("aria-pressed", String(pressed));
    button.onclick = () => ask({ share, settled: true });
    return button;
  }

  function ask(question) {
    if (state.asked !== null && performance.now() - state.asked.at < PATIENCE) {
      state.waiting = question;
      return;
    }
    state.serial = (state.serial ?? 0) + 1;
    state.asked = { key: `${question.share}:${question.settled}:${state.serial}`, at: performance.now() };
    setTriggerValue("moved", { ...question, key: state.asked.key });
  }

  function settle() {
    const next = state.waiting;
    state.asked = state.waiting = null;
    if (next) ask(next);
  }

  slider.oninput = () => {
    state.held = true;
    say();
    ask({ share: Number(slider.value) / 100, settled: false });
  };
  slider.onchange = () => {
    state.held = false;
    ask({ share: Number(slider.value) / 100, settled: true });
  };
}
