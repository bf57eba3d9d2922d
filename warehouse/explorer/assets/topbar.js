// The views as links: they open in a new tab as links do, and in place without a reload.
export default function ({ data, parentElement, setTriggerValue }) {
  const go = (view) => (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("chosen", view);
  };
  parentElement.querySelector(".brand").onclick = go(data.views[0].name);
  parentElement.querySelector(".views").replaceChildren(
    ...data.views.map(({ name, title, link }) => {
      const made = document.createElement("a");
      made.href = link;
      made.textContent = title;
      if (name === data.current) made.setAttribute("aria-current", "page");
      made.onclick = go(name);
      return made;
    }),
  );
}
