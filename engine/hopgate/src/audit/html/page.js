"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { strings, labels, checks, readings, devices } = data;
  const ROW = 26, SPARE = 12, PAPER_MAX = 1500, COMMANDS_MAX = 4;
  const OUTCOMES = ["exposed", "unknown", "clear"];
  const SIGNS = {
    B: ["k-B", "\u2715", "failed, and holds an upgrade"], W: ["k-W", "\u25B2", "failed, worth a look"],
    "!": ["k-x", "!", "the check does not work"], "?": ["k-q", "?", "cannot tell"],
    "~": ["k-w", "~", "waived"], o: ["k-o", "\u25CB", "noted, does not count"],
    "+": ["k-p", "\u2713", "passed"], ".": ["k-n", "\u00B7", "does not apply"],
  };
  const KINDS = ["FAILED", "CANNOT TELL", "DOES NOT WORK", "WAIVED", "passed"];
  const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const text = (place) => (place < 0 ? "" : strings[place]);
  const html = (string) => String(string).replace(/[&<>"']/g, (c) => ENTITIES[c]);
  const said = (place) => html(text(place));
  const grouped = labels[0] === "customer";
  const groupOf = (device) => (grouped ? text(device.l[0]) || "no customer" : "");
  const findings = (device) => {
    const list = [];
    for (let at = 0; at < device.f.length; at += 6) {
      const [column, kind, severity, subject, message, remark] = device.f.slice(at, at + 6);
      list.push({ column, kind, severity: severity % 3, trial: severity > 2, subject, message, remark });
    }
    return list;
  };
  const letterOf = (finding) => {
    if (finding.kind === 3) return "~";
    if (finding.trial || finding.severity === 0) return "o";
    return finding.kind === 0 ? (finding.severity === 2 ? "B" : "W") : finding.kind === 1 ? "?" : "!";
  };

  const wanted = { text: "", outcome: -1, check: -1 };
  let lines = [];
  let current = -1;

  const haystack = (device) => {
    if (device.h === undefined) {
      const words = [text(device.n), text(device.m), text(device.s), text(device.v), text(device.u), ...device.l.map(text)];
      for (const finding of findings(device)) {
        const check = checks[finding.column];
        words.push(text(check.check), text(finding.subject), text(finding.message), text(finding.remark));
      }
      device.h = words.join("\n").toLowerCase();
    }
    return device.h;
  };

  // With a check chosen, only devices where it says something else than "passed" or nothing at all.
  const isShown = (device) =>
    (wanted.outcome < 0 || device.o === wanted.outcome) &&
    (wanted.check < 0 || !"+.".includes(device.c[wanted.check])) &&
    wanted.text.split(/\s+/).every((word) => !word || haystack(device).includes(word));

  const sorted = devices.map((_, index) => index);
  if (grouped) {
    const names = new Intl.Collator("en", { numeric: true });
    const ranks = new Map([...new Set(devices.map(groupOf))].sort(names.compare).map((name, rank) => [name, rank]));
    const rank = devices.map((device) => ranks.get(groupOf(device)));
    sorted.sort((a, b) => rank[a] - rank[b] || a - b);
  }

  const filter = () => {
    const shown = sorted.filter((index) => isShown(devices[index]));
    lines = [];
    let group = null;
    let head = null;
    for (const index of shown) {
      if (grouped && groupOf(devices[index]) !== group) {
        group = groupOf(devices[index]);
        head = { group, counts: [0, 0, 0] };
        lines.push(head);
      }
      if (head) head.counts[devices[index].o] += 1;
      lines.push(index);
    }
    current = -1;
    $("shown").textContent = `${shown.length} of ${devices.length} shown`;
    $("room").style.height = `${lines.length * ROW}px`;
    $("grid").setAttribute("aria-rowcount", lines.length + 1);
    for (const button of document.querySelectorAll("[data-outcome]"))
      button.setAttribute("aria-pressed", Number(button.dataset.outcome) === wanted.outcome);
    for (const button of document.querySelectorAll("[data-column]"))
      button.setAttribute("aria-pressed", Number(button.dataset.column) === wanted.check);
    $("check").value = String(wanted.check);
    draw();
  };

  const edge = (column) => column > 0 && checks[column].playbook !== checks[column - 1].playbook;
  const line = (entry, at) => {
    if (typeof entry === "object") {
      const counts = entry.counts.map((count, o) => (count ? ` <b class="${OUTCOMES[o]}">${count} ${OUTCOMES[o]}</b>` : ""));
      return `<div class="g" role="row"><span role="gridcell">${html(entry.group)} &nbsp;${counts.join("")}</span></div>`;
    }
    const device = devices[entry];
    let cells = "";
    for (let column = 0; column < checks.length; column += 1) {
      const [kind, sign, words] = SIGNS[device.c[column]];
      const title = `${text(checks[column].check)}: ${words}`;
      cells += `<i role="gridcell" class="${kind}${edge(column) ? " edge" : ""}" title="${html(title)}">${sign}</i>`;
    }
    const name = said(device.n);
    return `<div class="r${at === current ? " on" : ""}" role="row" data-device="${entry}"><span class="name" role="rowheader" title="${name}"><span class="dot ${OUTCOMES[device.o]}" title="${OUTCOMES[device.o]}"></span>${name}</span><span class="model" role="gridcell">${said(device.m) || "?"}</span><span class="version" role="gridcell">${said(device.v) || "?"}</span>${cells}</div>`;
  };

  let drawn = "";
  const draw = () => {
    const grid = $("grid");
    const top = Math.max(0, Math.floor(grid.scrollTop / ROW) - SPARE);
    const end = Math.min(lines.length, Math.ceil((grid.scrollTop + grid.clientHeight) / ROW) + SPARE);
    const now = lines.slice(top, end).map((entry, at) => line(entry, top + at)).join("");
    if (now !== drawn) $("rows").innerHTML = now;
    drawn = now;
    $("rows").style.transform = `translateY(${top * ROW}px)`;
  };

  // What a check looked at on this device: the commands its areas were read with, and the playbook's own questions.
  const rests = (device, check) => {
    if (!device.e.length) return [];
    const reading = readings[device.e[1]];
    return [...new Set([...check.areas.flatMap((area) => reading[area]), ...check.questions])].map((command) => `<code>${said(command)}</code>`);
  };
  const restsOn = (commands) => {
    if (!commands.length) return "";
    if (commands.length <= COMMANDS_MAX) return `<p><small>Rests on</small>${commands.join(" ")}</p>`;
    return `<details><summary>Rests on ${commands.length} commands</summary><ul>${commands.map((command) => `<li>${command}</li>`).join("")}</ul></details>`;
  };
  const instant = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

  const block = (device, finding) => {
    const check = checks[finding.column];
    const letter = letterOf(finding);
    const head = `${KINDS[finding.kind]}${finding.trial ? " (on trial)" : ""}: ${text(check.title)}`;
    const where = [text(check.playbook) + "/" + text(check.check), text(finding.subject)].filter(Boolean).join(" \u00B7 ");
    const link = text(check.link);
    const safe = /^https?:\/\//.test(link) ? `<p><a href="${html(link)}" rel="noreferrer noopener">${html(link)}</a></p>` : "";
    return `<div class="found ${SIGNS[letter][0]}"><b>${html(head)}</b><small>${html(where)}</small><p>${said(finding.message)}</p>${
      finding.remark < 0 ? "" : `<p>${said(finding.remark)}</p>`}${
      finding.kind === 4 || check.remedy < 0 ? "" : `<p><small>What would cure it</small>${said(check.remedy)}</p>`}${safe}${restsOn(rests(device, check))}</div>`;
  };

  const open = (index) => {
    const device = devices[index];
    const worst = (finding) => Object.keys(SIGNS).indexOf(letterOf(finding));
    const found = findings(device).sort((a, b) => worst(a) - worst(b));
    const rows = [["Model", text(device.m)], ["Serial", text(device.s)], ["Release", text(device.v)], ["Way", text(device.w)],
      ...labels.map((label, at) => [label, text(device.l[at])]), [device.u < 0 ? "Read" : "Asked", device.e.length ? instant(device.e[0]) : ""],
      ["Answered in", `${(device.t / 1000).toFixed(1)} s`],
      ["Could not be read", text(device.u)]].filter(([, value]) => value);
    const missing = [];
    for (let at = 0; at < device.x.length; at += 2) missing.push(`<li>${said(device.x[at])}: ${said(device.x[at + 1])}</li>`);
    const passed = checks.filter((_, column) => device.c[column] === "+").map((check) => {
      const commands = rests(device, check);
      const told = commands.length > COMMANDS_MAX ? `${commands.length} commands` : commands.join(" ");
      return `<li>${said(check.title)} <small>${told}</small></li>`;
    });
    const folded = (title, list) => (list.length ? `<details><summary>${title} (${list.length})</summary><ul>${list.join("")}</ul></details>` : "");
    // A device that could not be read is told once, above.
    const shown = device.u < 0 ? found : found.filter((finding) => finding.kind !== 1);
    $("detail").innerHTML = `<header><h2 id="detail-name">${said(device.n)}</h2><b class="${OUTCOMES[device.o]}">${OUTCOMES[device.o]}</b><button type="button" data-close autofocus>Close</button></header><dl>${
      rows.map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`).join("")}</dl>${shown.map((finding) => block(device, finding)).join("")}${
      folded("Passed", passed)}${folded("Not read", missing)}`;
    if (!$("detail").open) $("detail").showModal();
    history.replaceState(null, "", `#device=${encodeURIComponent(text(device.n))}`);
  };

  const paper = () => {
    const all = lines.filter((entry) => typeof entry === "number" && devices[entry].o < 2);
    const clear = lines.filter((entry) => typeof entry === "number").length - all.length;
    let group = null;
    const parts = all.slice(0, PAPER_MAX).map((entry) => {
      const device = devices[entry];
      const head = groupOf(device) === group ? "" : `<h2>${html((group = groupOf(device)))}</h2>`;
      const found = device.u < 0 ? findings(device) : findings(device).filter((finding) => finding.kind !== 1);
      const what = found.map((finding) => `<p>${SIGNS[letterOf(finding)][1]} ${html(KINDS[finding.kind])}: ${said(finding.message)}${
        finding.remark < 0 ? "" : ` (${said(finding.remark)})`}</p>`);
      const unread = device.u < 0 ? "" : `<p>? could not be read: ${said(device.u)}</p>`;
      return `${head}<div class="paper"><h3>${said(device.n)} <span class="${OUTCOMES[device.o]}">${OUTCOMES[device.o]}</span> ${said(device.m)} ${said(device.v)}</h3>${unread}${what.join("")}</div>`;
    });
    const more = all.length > PAPER_MAX ? `<p>and ${all.length - PAPER_MAX} more: filter before printing</p>` : "";
    $("print").innerHTML = `<h2>Devices that are not clear</h2>${parts.join("")}${more}<p>${clear} clear ${clear === 1 ? "device is" : "devices are"} not listed.</p>`;
  };

  const choose = (check) => {
    wanted.check = wanted.check === check ? -1 : check;
    filter();
  };
  const build = () => {
    const counts = [0, 0, 0];
    devices.forEach((device) => (counts[device.o] += 1));
    const choices = [["all", -1, devices.length], ...OUTCOMES.map((word, o) => [word, o, counts[o]])];
    document.querySelector(".choices").innerHTML = choices
      .map(([word, o, count]) => `<button type="button" data-outcome="${o}">${word} ${count}</button>`).join("");
    const names = checks.map((check) => `${text(check.playbook)}/${text(check.check)}`);
    $("check").innerHTML = `<option value="-1">every check</option>${names
      .map((name, column) => `<option value="${column}">${html(name)}</option>`).join("")}`;
    $("columns").innerHTML = `<span class="fixed name" role="columnheader">Device</span><span class="fixed model" role="columnheader">Model</span><span class="fixed version" role="columnheader">Release</span>${checks
      .map((check, column) => `<button type="button" role="columnheader" data-column="${column}" class="${edge(column) ? "edge" : ""}" title="${html(names[column])}: ${said(check.title)}"><span>${said(check.check)}</span></button>`).join("")}`;
    document.querySelector(".legend").innerHTML = Object.values(SIGNS)
      .map(([kind, sign, words]) => `<span><i class="${kind}">${sign}</i>${words}</span>`).join("");
    for (const part of document.querySelectorAll("#matrix [hidden]")) part.hidden = false;
    for (const bar of document.querySelectorAll("[data-check]"))
      bar.addEventListener("click", () => { choose(names.indexOf(bar.dataset.check)); $("matrix").scrollIntoView(); });
    return names;
  };

  build();
  let typing = 0;
  $("q").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { wanted.text = $("q").value.toLowerCase(); filter(); }, 120);
  });
  document.querySelector(".choices").addEventListener("click", (event) => {
    const button = event.target.closest("[data-outcome]");
    if (button) { wanted.outcome = Number(button.dataset.outcome); filter(); }
  });
  $("check").addEventListener("change", () => { wanted.check = Number($("check").value); filter(); });
  $("columns").addEventListener("click", (event) => {
    const button = event.target.closest("[data-column]");
    if (button) choose(Number(button.dataset.column));
  });
  $("rows").addEventListener("click", (event) => {
    const row = event.target.closest("[data-device]");
    if (row) open(Number(row.dataset.device));
  });
  $("grid").addEventListener("scroll", draw, { passive: true });
  addEventListener("resize", draw);
  $("grid").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (step) {
      event.preventDefault();
      let at = Math.max(0, Math.min(lines.length - 1, current + step));
      if (typeof lines[at] === "object") at = Math.min(lines.length - 1, Math.max(1, at + Math.sign(step)));
      current = at;
      const grid = $("grid"), room = grid.clientHeight - 168 - ROW;
      if (at * ROW < grid.scrollTop) grid.scrollTop = at * ROW;
      if (at * ROW > grid.scrollTop + room) grid.scrollTop = at * ROW - room;
      draw();
    } else if (event.key === "Enter" && event.target === $("grid") && typeof lines[current] === "number") open(lines[current]);
  });
  $("detail").addEventListener("click", (event) => {
    if (event.target === $("detail") || event.target.closest("[data-close]")) $("detail").close();
  });
  $("detail").addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
  addEventListener("beforeprint", paper);
  const asked = /^#device=(.+)$/.exec(location.hash);
  filter();
  if (asked) {
    const index = devices.findIndex((device) => text(device.n) === decodeURIComponent(asked[1]));
    if (index >= 0) open(index);
  }
})();
