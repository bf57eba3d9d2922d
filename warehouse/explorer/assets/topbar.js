// The views as links: they open in a new tab as links do, and in place without a reload.
export default function ({ data, parentElement, setTriggerValue }) {
  const go = (view) => (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("chosen", view);
  };
  const brand = parentElement.querySelector(".brand");
  brand.href = data.views[0].link;
  brand.onclick = go(data.views[0].name);
  parentElement.querySelector(".views").replaceChildren(
    ...data.views.map(({ name, title, link }) => {
      const made = anchor(title, link, go(name));
      if (name === data.current) made.setAttribute("aria-current", "page");
      return made;
    }),
  );
  const earlier = parentElement.querySelector(".earlier");
  earlier.replaceChildren();
  if (data.earlier) {
    const back = anchor("Go to the current release", address(null), go(data.to_current));
    earlier.append(`Earlier release ${data.earlier}. `, back);
  }
  const permalink = parentElement.querySelector(".permalink");
  // the address changes while the page stays: it is read when somebody is about to use the link
  const read = () => (permalink.href = address(data.release));
  read();
  permalink.onpointerenter = permalink.onfocus = permalink.onclick = read;
}

function address(release) {
  const url = new URL(location.href);
  if (release) url.searchParams.set("release", release);
  else url.searchParams.delete("release");
  return url.href;
}

function anchor(text, href, onclick) {
  const made = document.createElement("a");
  made.textContent = text;
  made.href = href;
  made.onclick = onclick;
  return made;
}
