
"use strict";
// Without this script the page shows everything but the texts of messages; with it tables sort and can be searched, and
// links open what is folded.
(() => {
  const all = (sel, root) => Array.from((root || document).querySelectorAll(sel));
  const value = (row, i) => {
    const cell = row.cells[i];
    return cell ? (cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim().toLowerCase()) : "";
  };
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

  for (const table of all("table.rows")) {
    const heads = all("thead th", table);
    heads.forEach((th, i) => {
      const button = document.createElement("button");
      button.type = "button";
      while (th.firstChild) button.append(th.firstChild);
      th.append(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") === "ascending" || (!th.hasAttribute("aria-sort") && th.classList.contains("num"));
        for (const other of heads) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows).map((row, n) => ({ row, n, v: value(row, i) }));
        rows.sort((a, b) => (down ? order(b.v, a.v) : order(a.v, b.v)) || a.n - b.n);
        body.append(...rows.map(r => r.row));
      });
    });
  }

  const search = document.getElementById("search");
  const hits = document.getElementById("hits");
  const items = all("table.rows tbody tr, details.finding, details.preview").map(el => ({ el, text: "" }));
  const blocks = all(".block");
  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const item of items) {
      if (!item.text) item.text = item.el.textContent.toLowerCase();
      const hit = words.every(w => item.text.includes(w));
      item.el.classList.toggle("hide", !hit);
      if (hit) n++;
    }
    for (const b of blocks) {
      const rows = all("table.rows tbody tr, details.finding, details.preview", b);
      b.classList.toggle("hide", words.length > 0 && rows.length > 0 && rows.every(r => r.classList.contains("hide")));
    }
    hits.textContent = words.length ? n + (n === 1 ? " line" : " lines") : "";
  };
  let wait = 0;
  search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(find, 80); });
  search.addEventListener("keydown", e => { if (e.key === "Escape") { search.value = ""; find(); } });
  document.addEventListener("keydown", e => {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); search.focus(); }
  });
  search.hidden = false;

  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.classList.contains("hide")) { search.value = ""; find(); }
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // Frames are made when their ticket is unfolded: hundreds of them would keep the page from opening. They may not run
  // scripts themselves; their height is taken from here.
  const fit = frame => {
    const doc = frame.contentDocument;
    if (doc && doc.body && doc.body.scrollHeight) frame.style.height = Math.min(doc.body.scrollHeight + 2, 900) + "px";
  };
  for (const preview of all("details.preview")) {
    preview.addEventListener("toggle", () => {
      for (const t of all("template", preview)) {
        const frame = t.content.firstElementChild;
        frame.addEventListener("load", () => fit(frame));
        t.replaceWith(frame);
      }
    });
  }
  addEventListener("resize", () => { for (const frame of all("details[open] iframe")) fit(frame); });

  // What is wider than the window is scrolled, by keyboard too.
  const widths = new ResizeObserver(list => {
    for (const { target } of list) {
      const label = target.querySelector("caption")?.textContent || target.querySelector("svg")?.getAttribute("aria-label") || "";
      if (target.scrollWidth > target.clientWidth + 1) {
        target.tabIndex = 0;
        target.setAttribute("role", "region");
        target.setAttribute("aria-label", label);
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
      }
    }
  });
  for (const wide of all(".wide")) widths.observe(wide);

  let folded = [];
  addEventListener("beforeprint", () => { folded = all("details.finding:not([open])"); for (const d of folded) d.open = true; });
  addEventListener("afterprint", () => { for (const d of folded) d.open = false; });
})();
