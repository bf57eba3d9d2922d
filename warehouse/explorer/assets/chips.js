// Chips that can be removed: the songs a new listener likes, the filters in use.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".chips");
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(
    ...data.chips.map(({ id, text }) => {
      const words = document.createElement("span");
      words.className = "clip";
      words.dir = "auto";
      words.textContent = text;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `Remove ${text}`);
      button.onclick = () => setTriggerValue("removed", id);
      const item = document.createElement("li");
      item.append(words, button);
      return item;
    }),
  );
}
