"use strict";

document.documentElement.classList.add("live");

// Tabs, of chips and of passes: arrows, Home and End move between them.
function keys(event, count, index) {
  const moves = { ArrowRight: index + 1, ArrowLeft: index - 1, ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: count - 1 };
  return event.key in moves ? Math.min(Math.max(moves[event.key], 0), count - 1) : undefined;
}

function choose(tab) {
  const list = tab.closest('[role="tablist"]');
  for (const each of list.querySelectorAll('[role="tab"]')) {
    each.setAttribute("aria-selected", String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
    if (!each.dataset.stage) document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
  }
  if (tab.dataset.stage) chooseStage(tab.closest(".program"), tab.dataset.stage);
}

function chooseStage(program, stage) {
  for (const each of program.querySelectorAll(".stage, .about > div")) each.hidden = each.dataset.stage !== stage;
  const chosen = program.querySelector('.line[aria-selected="true"]');
  if (chosen && chosen.closest("[hidden]")) clear(program);
  else if (chosen) select(chosen);
}

for (const list of document.querySelectorAll('[role="tablist"]')) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const next = keys(event, tabs.length, index);
      if (next === undefined) return;
      event.preventDefault();
      tabs[next].focus();
      choose(tabs[next]);
    });
  }
}

// Lines: a line of IR or Pallas has the place in the source that it came from, and after the last pass the number
// of its operation.
const shown = (line) => !line.closest("[hidden]");

function pane(program, kind) {
  return program.querySelector(`[data-pane="${kind}"] .lines`);
}

function linesOf(program, kind, query) {
  return [...pane(program, kind).querySelectorAll(query)].filter(shown);
}

function related(line) {
  const program = line.closest(".program");
  const kind = line.closest(".pane").dataset.pane;
  const found = {};
  for (const other of ["source", "ir", "pallas"]) {
    if (other === kind) continue;
    if (kind === "source") {
      found[other] = linesOf(program, other, `[data-at^="${line.dataset.line}:"]`);
    } else if (!line.dataset.at) {
      found[other] = [];
    } else if (other === "source") {
      const [file, row] = line.dataset.at.split(":");
      found[other] = linesOf(program, other, `[data-line="${file}:${row}"]`);
    } else {
      const same = line.dataset.op ? linesOf(program, other, `[data-op="${line.dataset.op}"]`) : [];
      found[other] = same.length ? same : linesOf(program, other, `[data-at="${line.dataset.at}"]`);
    }
  }
  return found;
}

function clear(program) {
  for (const each of program.querySelectorAll(".linked")) each.classList.remove("linked");
  for (const each of program.querySelectorAll('.line[aria-selected="true"]')) each.setAttribute("aria-selected", "false");
  for (const each of program.querySelectorAll(".lines")) each.removeAttribute("aria-activedescendant");
}

function select(line) {
  const program = line.closest(".program");
  clear(program);
  line.setAttribute("aria-selected", "true");
  line.closest(".lines").setAttribute("aria-activedescendant", line.id);
  const found = related(line);
  for (const [kind, lines] of Object.entries(found)) {
    for (const each of lines) each.classList.add("linked");
    if (lines.length) reveal(pane(program, kind), lines[0]);
  }
  tell(program, line, found);
  history.replaceState(null, "", `#${line.id}`);
}

function reveal(list, line) {
  const top = line.getBoundingClientRect().top - list.getBoundingClientRect().top;
  if (top < 20 || top > list.clientHeight - 40) list.scrollTop += top - list.clientHeight / 3;
}

const titles = { source: "source", ir: "IR", pallas: "Pallas" };

function tell(program, line, found) {
  const trail = program.querySelector(".trail");
  const parts = Object.entries(found).filter(([, lines]) => lines.length);
  const number = (each) => each.id.split("-").pop();
  trail.textContent = `${titles[line.closest(".pane").dataset.pane]} ${number(line)}`;
  if (!parts.length) trail.append(" belongs to no line of the others.");
  for (const [kind, lines] of parts) {
    trail.append(` · ${titles[kind]} `);
    for (const [index, each] of lines.slice(0, 12).entries()) {
      const link = document.createElement("a");
      link.href = `#${each.id}`;
      link.textContent = number(each);
      trail.append(index ? ", " : "", link);
    }
    if (lines.length > 12) trail.append(` and ${lines.length - 12} more`);
  }
}

for (const list of document.querySelectorAll(".lines")) {
  const program = list.closest(".program");
  const cool = () => {
    for (const each of program.querySelectorAll(".hot")) each.classList.remove("hot");
  };
  list.addEventListener("mouseover", (event) => {
    const line = event.target.closest(".line");
    cool();
    if (!line) return;
    for (const each of [line, ...Object.values(related(line)).flat()]) each.classList.add("hot");
  });
  list.addEventListener("mouseleave", cool);
  list.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    if (line) select(line);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") return; // they scroll
    const lines = [...list.querySelectorAll(".line")].filter(shown);
    const current = lines.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const next = keys(event, lines.length, current);
    if (next === undefined || !lines.length) return;
    event.preventDefault();
    select(lines[next]);
    reveal(list, lines[next]);
  });
}

// A fragment names a line or a pass, and may need another pass or chip to be shown.
function follow() {
  const line = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!line) return;
  const panel = line.closest('[role="tabpanel"]');
  if (panel && panel.hidden) choose(document.getElementById(panel.getAttribute("aria-labelledby")));
  const stage = line.closest(".stage");
  if (stage && stage.hidden) choose(line.closest(".program").querySelector(`button[data-stage="${stage.dataset.stage}"]`));
  if (!line.classList.contains("line")) return;
  select(line);
  reveal(line.closest(".lines"), line);
  line.closest(".panes").scrollIntoView({ block: "nearest" });
}

for (const list of document.querySelectorAll('[data-pane="pallas"] .lines')) {
  const first = list.querySelector("[data-at]"); // behind imports and helpers
  if (first) list.scrollTop = first.offsetTop - 8;
}
addEventListener("hashchange", follow);
follow();
