
"use strict";
(() => {
  const form = document.querySelector(".filters");
  const items = [...document.querySelectorAll(".item")];
  const sections = [...document.querySelectorAll("main > section:not(.extra)")];
  const nothing = document.querySelector(".nothing");
  const shown = document.querySelector(".shown");
  const others = [...document.querySelectorAll(".extra .finding, .extra .plain > li")];
  const extras = [...document.querySelectorAll(".extra")];
  const texts = new Map([...items, ...others].map((item) => [item, item.textContent.toLowerCase()]));

  // #status=fail&text=state sets the filter, #C06 opens an item: both can be sent to somebody as an address.
  function readAddress() {
    const address = location.hash.slice(1);
    const item = items.find((one) => one.id === address);
    if (item) item.open = true;
    const asked = new URLSearchParams(address.includes("=") ? address : "");
    const status = asked.get("status") || "";
    for (const choice of form.elements.status) choice.checked = choice.value === status;
    if (![...form.elements.status].some((choice) => choice.checked)) form.elements.status[0].checked = true;
    form.elements.text.value = asked.get("text") || "";
    apply();
    if (item) item.scrollIntoView();
  }

  function apply() {
    const status = form.elements.status.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const said = (one) => words.every((word) => texts.get(one).includes(word));
    let count = 0;
    for (const item of items) {
      const fits = (!status || item.dataset.status === status) && said(item);
      item.hidden = !fits;
      count += fits;
    }
    for (const one of others) one.hidden = Boolean(status) || !said(one);
    for (const extra of extras) extra.hidden = !extra.querySelector(".finding:not([hidden]), .plain > li:not([hidden])");
    for (const section of sections) section.hidden = !section.querySelector(".item:not([hidden])");
    nothing.hidden = count > 0;
    shown.textContent = count === items.length ? "" : `${count} of ${items.length} items`;
  }

  function writeAddress() {
    const chosen = new URLSearchParams();
    if (form.elements.status.value) chosen.set("status", form.elements.status.value);
    if (form.elements.text.value) chosen.set("text", form.elements.text.value);
    const address = chosen.toString();
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  }

  form.addEventListener("input", () => { apply(); writeAddress(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    const wanted = event.target.dataset.do;
    if (wanted) for (const item of items) if (!item.hidden) item.open = wanted === "open";
  });

  // On paper nothing can be opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });

  addEventListener("hashchange", readAddress);
  document.documentElement.classList.add("scripted");
  form.hidden = false;
  readAddress();
})();
