"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const rows = all("table.devices tbody tr");
  const field = document.getElementById("q");
  const buttons = all("[data-show]");
  let show = "all";

  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set();
    for (const row of rows) {
      const data = row.dataset;
      const standing = show === "all" || (show === "person" ? data.person === "true" : data.standing === show);
      if (standing && words.every((word) => data.search.includes(word))) shown.add(data.device);
    }
    for (const part of all("[data-device]")) part.hidden = !shown.has(part.dataset.device);
    document.getElementById("shown").textContent = shown.size === rows.length ? "" : `${shown.size} of ${rows.length}`;
  };

  field.addEventListener("input", apply);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      show = button.dataset.show;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      apply();
    });
  }
  document.querySelector(".filter").hidden = false;

  // Where the picture is wider than the screen, the present matters more than the beginning.
  const gantt = document.querySelector(".gantt");
  gantt.scrollLeft = gantt.scrollWidth;

  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  // A printed page cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });
})();
