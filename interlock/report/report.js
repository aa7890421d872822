// Makes the page answer: filters, the tree grid, the picture and the path of what is chosen. The table is complete without it.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("radius").textContent);
  const root = document.documentElement;
  const ROOT = 1, CERTAIN = 2, UNMAPPED = 4, RECOVERY = 8, BARE = 16;
  const NOBODY = -1;

  for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
  for (const element of document.querySelectorAll("[data-plain]")) element.hidden = true;

  /** An element with text and children; text never becomes markup. */
  function make(tag, options, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options ?? {})) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  /** A sentence in which what stands between backticks is code. */
  const prose = (text) => text.split(/`([^`]+)`/).map((part, at) => at % 2 === 0 ? part : make("code", null, make("bdi", null, part)));

  const spaced = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const counted = (number, noun) => `${spaced(number)} ${noun}${number === 1 ? "" : "s"}`;

  // The assets, in the order of the table

  const assets = data.assets.map((row, at) => {
    const [name, kind, id, fate, harm, family, parent, edge, last, weight, flags,
      rows, changes, criticality, source, container, wayBack, own] = row;
    return {
      at, name, kind, id, fate, harm, family, parent: parent ?? NOBODY, edge, last, weight, flags, rows,
      changes: new Set(changes), criticality, source, container, wayBack, own,
      level: 1, children: [], row: byId(`a${at}`), matches: true, shown: true, words: "",
    };
  });
  const tops = [];
  for (const asset of assets) {
    if (asset.parent === NOBODY) tops.push(asset);
    else {
      assets[asset.parent].children.push(asset);
      asset.level = assets[asset.parent].level + 1;
    }
  }
  const incoming = new Map();
  data.edges.forEach(([source, target, why, does, certain], number) => {
    if (!incoming.has(target)) incoming.set(target, []);
    incoming.get(target).push({ number, source, target, why, does, certain });
  });
  const edgeOf = (asset) => asset.edge === null ? null : data.edges[asset.edge];
  const changeOf = new Map(data.changes.map((change) => [change[0], change]));

  function pathTo(asset) {
    const path = [];
    for (let each = asset; each; each = assets[each.parent]) path.push(each);
    return path.reverse();
  }

  /** The steps of its path: an asset and the edge that leads there. It may go another way than the tree. */
  function stepsTo(asset) {
    const steps = [];
    for (let each = asset; each; each = assets[each.parent]) {
      if (each.own) {
        steps.push(...each.own.map((number) => ({ asset: assets[data.edges[number][1]], number })).reverse());
        steps.push({ asset: assets[data.edges[each.own[0]][0]], number: null });
        break;
      }
      steps.push({ asset: each, number: each.parent === NOBODY ? null : each.edge });
    }
    return steps.reverse();
  }

  // Themes

  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const theme = byId("theme");
  function tellTheme() {
    theme.setAttribute("aria-pressed", String(isDark()));
    picture?.recolor();
  }
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tellTheme();
  });
  system.addEventListener("change", tellTheme);
  byId("print").addEventListener("click", () => print());

  let picture = null;
  let chosen = null;
  const status = byId("status");

  if (assets.length === 0) {
    tellTheme();
    root.dataset.ready = "true";
    return;
  }

  // Filters

  const filters = byId("filters");
  const find = byId("find"), kind = byId("kind"), change = byId("change"), bare = byId("bare");

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fates = new Set([...filters.querySelectorAll("[name=fate]:checked")].map((box) => box.value));
    let count = 0;
    for (const asset of assets) {
      if (words.length > 0 && asset.words === "") {
        asset.words = `${asset.name} ${asset.kind} ${asset.id} ${asset.row.cells[0].textContent}`.toLowerCase();
      }
      asset.matches = fates.has(asset.fate)
        && (kind.value === "" || asset.kind === kind.value)
        && (change.value === "" || asset.changes.has(change.value))
        && (!bare.checked || (asset.flags & BARE) !== 0)
        && words.every((word) => asset.words.includes(word));
      asset.shown = asset.matches;
      count += asset.matches ? 1 : 0;
    }
    // What leads to a match stays in view, so children come before their parents here.
    for (let at = assets.length - 1; at >= 0; at--) {
      if (assets[at].shown && assets[at].parent !== NOBODY) assets[assets[at].parent].shown = true;
    }
    const said = count === assets.length
      ? counted(count, "asset") : `${spaced(count)} of ${counted(assets.length, "asset")}`;
    byId("count").textContent = said;
    grid.refresh();
    picture.begin();
    return said;
  }

  const narrowed = () => { status.textContent = `${filter()} shown`; };
  let waiting = 0;
  find.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(narrowed, 120); });
  for (const control of [kind, change, bare, ...filters.querySelectorAll("[name=fate]")]) {
    control.addEventListener("change", narrowed);
  }
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(narrowed));
  for (const button of document.querySelectorAll("[data-change]")) {
    button.addEventListener("click", () => {
      change.value = button.dataset.change;
      narrowed();
      byId("everything").scrollIntoView();
      byId("everything").focus({ preventScroll: true });
    });
  }

  // The table as a tree grid

  const grid = (() => {
    const table = byId("tree");
    const folded = new Set();
    let current = 0;
    const OPEN_ROWS = 150;

    table.setAttribute("role", "treegrid");
    const families = [tops, ...assets.map((asset) => asset.children)];
    for (const asset of assets) {
      const row = asset.row;
      row.setAttribute("role", "row");
      row.setAttribute("aria-selected", "false");
      row.tabIndex = -1;
      if (asset.children.length > 0) {
        row.cells[0].prepend(make("span", { class: "twist", "aria-hidden": "true" }));
        folded.add(asset.at);
      }
      for (const link of row.querySelectorAll("a")) link.tabIndex = -1;
    }

    function count(siblings, levelOf) {
      siblings.forEach(({ row, level }, place) => {
        row.setAttribute("aria-level", String(levelOf ?? level));
        row.setAttribute("aria-posinset", String(place + 1));
        row.setAttribute("aria-setsize", String(siblings.length));
      });
    }
    // Level by level, as many rows as one can take in.
    let open = tops.length;
    for (let level = tops; level.length > 0; level = level.flatMap((asset) => asset.children)) {
      for (const asset of level) {
        if (asset.children.length > 0 && open + asset.children.length <= OPEN_ROWS) {
          open += asset.children.length;
          folded.delete(asset.at);
        }
      }
    }
    assets[current].row.tabIndex = 0;

    const isVisible = (asset) => !asset.row.hidden;
    let isFlat = null;

    /** A tree, or a list of what the filters leave. */
    function refresh() {
      const matching = assets.filter((asset) => asset.matches);
      const wasFlat = isFlat;
      isFlat = matching.length < assets.length;
      if (isFlat) count(matching, 1);
      else if (wasFlat !== false) for (const siblings of families) count(siblings);
      table.classList.toggle("flat", isFlat);
      let skip = -1;
      for (const asset of assets) {
        const hidden = isFlat ? !asset.matches : asset.at <= skip;
        if (asset.row.hidden !== hidden) asset.row.hidden = hidden;
        if (asset.children.length === 0) continue;
        const isFolded = folded.has(asset.at);
        if (isFlat) asset.row.removeAttribute("aria-expanded");
        else asset.row.setAttribute("aria-expanded", String(!isFolded));
        const twist = asset.row.cells[0].firstChild;
        const mark = isFolded ? "▸" : "▾";
        if (twist.textContent !== mark) twist.textContent = mark;
        if (isFolded && asset.at > skip) skip = asset.last;
      }
      if (!isVisible(assets[current])) {
        const first = assets.find(isVisible);
        if (first) move(first, false);
      }
    }

    function move(asset, withFocus = true) {
      if (!asset || !isVisible(asset)) return;
      assets[current].row.tabIndex = -1;
      current = asset.at;
      asset.row.tabIndex = 0;
      if (withFocus) {
        asset.row.focus({ preventScroll: true });
        asset.row.scrollIntoView({ block: "nearest", behavior: "instant" });
      }
    }

    function step(by) {
      for (let at = current + by; at >= 0 && at < assets.length; at += by) {
        if (isVisible(assets[at])) return move(assets[at]);
      }
    }

    function fold(asset, isFolded) {
      if (asset.children.length === 0) return;
      if (isFolded) folded.add(asset.at);
      else folded.delete(asset.at);
      refresh();
    }

    function reveal(asset) {
      let isNew = false;
      for (const above of pathTo(asset).slice(0, -1)) isNew = folded.delete(above.at) || isNew;
      if (isNew) refresh();
    }

    table.addEventListener("click", (event) => {
      const row = event.target.closest("tbody tr");
      if (!row) return;
      const asset = assets[Number(row.id.slice(1))];
      const link = event.target.closest("a");
      if (link && !link.hash.startsWith("#a")) return;
      if (link) event.preventDefault();
      if (event.target.closest(".twist")) {
        fold(asset, !folded.has(asset.at));
        move(asset);
        return;
      }
      const wanted = link ? assets[Number(link.hash.slice(2))] : asset;
      choose(wanted, { from: "table" });
      move(wanted);
    });

    table.addEventListener("keydown", (event) => {
      if (event.target.tagName !== "TR" || event.ctrlKey || event.metaKey || event.altKey) return;
      const asset = assets[current];
      switch (event.key) {
        case "ArrowDown": step(1); break;
        case "ArrowUp": step(-1); break;
        case "ArrowRight":
          if (asset.children.length > 0 && !isFlat) folded.has(asset.at) ? fold(asset, false) : step(1);
          break;
        case "ArrowLeft":
          if (asset.children.length > 0 && !isFlat && !folded.has(asset.at)) fold(asset, true);
          else move(assets[asset.parent]);
          break;
        case "Home": move(assets.find(isVisible)); break;
        case "End": move(assets.findLast(isVisible)); break;
        case "Enter": case " ": choose(asset, { from: "table" }); break;
        case "Escape": choose(null, { from: "table" }); break;
        default: return;
      }
      event.preventDefault();
    });

    return { refresh, reveal, move };
  })();

  // A table of a few rows is laid out before the picture asks for its size.
  grid.refresh();

  // What is chosen

  const detail = byId("detail");
  const hint = detail.firstElementChild;

  function choose(asset, { from }) {
    if (chosen) chosen.row.setAttribute("aria-selected", "false");
    chosen = asset;
    detail.replaceChildren(...(asset ? describe(asset) : [hint]));
    detail.scrollTop = 0;
    if (asset) {
      asset.row.setAttribute("aria-selected", "true");
      grid.reveal(asset);
      if (from !== "table") grid.move(asset, false);
      status.textContent = `${asset.name}, ${data.fates[asset.fate].short}. ${inWords(asset)}`;
    }
    picture.choose(asset, from);
  }

  function inWords(asset) {
    const names = stepsTo(asset).map((step) => step.asset.name);
    if (names.length > 8) names.splice(2, names.length - 6, `${names.length - 6} more`);
    return names.join(" → ");
  }

  function fateChip(asset) {
    const fate = data.fates[asset.fate];
    return make("span", { class: `fate ${asset.fate}` }, `${fate.mark} ${fate.short}`);
  }

  function describe(asset) {
    const path = stepsTo(asset);
    const steps = path.map(({ asset: each, number }) => {
      const edge = number === null ? null : data.edges[number];
      const why = edge === null
        ? rootWords(each) : prose(`${edge[4] ? "" : "maybe "}${edge[3]} it: ${edge[2]}`);
      return make("li", null, jump(each, each === asset), make("span", { class: "why" }, ...why));
    });
    const facts = [
      ["what it is", `${asset.kind} ${asset.id}`],
      ["from", asset.source],
      ["in", placeOf(asset)],
      ["criticality", asset.criticality],
      ["what happens", data.harms[asset.harm] + (asset.flags & CERTAIN ? "" : ", maybe")],
      ["rows lost", asset.row.cells[3].firstChild?.textContent ?? "–"],
      ["score", `${asset.row.cells[4].firstChild.textContent} = ${asset.row.cells[4].lastChild.textContent}`],
      ["goes with it", asset.last > asset.at ? counted(asset.last - asset.at, "asset") : "nothing else"],
    ].filter(([, value]) => value);
    const others = (incoming.get(asset.at) ?? []).filter((edge) => edge.number !== asset.edge);
    const back = asset.row.cells[2].querySelector(".why");
    return [
      make("h3", null, make("bdi", null, asset.name)),
      make("p", null, fateChip(asset), make("span", { class: "why" }, data.fates[asset.fate].long)),
      ...(back ? [make("h4", null, "What brings it back"),
        make("p", null, back.textContent, make("span", { class: "why" }, asset.wayBack ?? ""))] : []),
      make("h4", null, path.length > 1 ? `How it is reached, in ${counted(path.length - 1, "step")}` : "How it is reached"),
      make("ol", { class: "path" }, ...folded(steps)),
      ...(others.length > 0 ? [make("h4", null, "Also reached from"),
        make("ul", { class: "path" }, ...others.slice(0, 20).map((edge) =>
          make("li", null, jump(assets[edge.source], false), make("span", { class: "why" }, ...prose(edge.why))))),
        ...(others.length > 20 ? [make("p", { class: "hint" }, `and ${others.length - 20} more`)] : [])] : []),
      make("h4", null, "Facts"),
      make("dl", null, ...facts.flatMap(([name, value]) => [make("dt", null, name), make("dd", null, make("bdi", null, value))])),
    ];
  }

  /** A long path shows how it begins and ends; what is between is one press away. */
  function folded(steps) {
    if (steps.length <= 12) return steps;
    const between = steps.slice(3, -5);
    const button = make("button", { type: "button", class: "link" }, `${counted(between.length, "step")} between`);
    const item = make("li", null, button);
    button.addEventListener("click", () => {
      item.replaceWith(...between);
      between[0].querySelector("button").focus();
    });
    return [...steps.slice(0, 3), item, ...steps.slice(-5)];
  }

  function rootWords(asset) {
    const places = [...asset.changes].map((id) => changeOf.get(id)).filter(Boolean).slice(0, 5);
    if (places.length === 0) return ["the plan reaches it"];
    return places.flatMap(([id, place, summary], number) => [
      number > 0 ? make("br") : null, make("a", { href: `#change-${id}` }, place), " ", ...prose(summary),
    ]);
  }

  function jump(asset, isHere) {
    if (isHere) return make("b", null, make("bdi", null, asset.name));
    const button = make("button", { type: "button", class: "link" }, make("bdi", null, asset.name));
    button.addEventListener("click", () => {
      choose(asset, { from: "detail" });
      detail.querySelector("button")?.focus();
    });
    return button;
  }

  function placeOf(asset) {
    const names = [];
    const seen = new Set();
    for (let key = asset.container; key in data.containers && !seen.has(key); key = data.containers[key][2]) {
      seen.add(key);
      names.push(data.containers[key][0]);
    }
    return names.reverse().join(" / ");
  }

  // The picture: a forest from left to right, of which as much is open as one can read

  picture = (() => {
    const BEGIN = 44, MOST = 900, SIDE_BY_SIDE = 7, AT_ONCE = 20;
    const WIDE = 176, HIGH = 42, ACROSS = 250, DOWN = 56;
    const box = byId("graph"), caption = byId("caption"), also = byId("also");
    const open = new Set();
    const asked = new Map();
    let drawn = new Map();
    let isStale = true;

    const cy = cytoscape({
      container: box, elements: [], layout: { name: "preset" }, minZoom: 0.05, maxZoom: 2.5,
      boxSelectionEnabled: false, autounselectify: true, autoungrabify: true,
      hideEdgesOnViewport: false, textureOnViewport: false, pixelRatio: "auto",
    });

    const probe = make("span", { hidden: "" });
    document.body.append(probe);
    function color(name) {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    }

    function style() {
      const ink = color("ink"), soft = color("soft"), line = color("line"), accent = color("accent");
      const fates = Object.keys(data.fates).map((fate) => ({
        selector: `node.${fate}`,
        style: {
          "background-color": color(`${fate}-ground`), color: color(`${fate}-ink`), "border-color": color(fate),
          ...(fate === "kept" ? { "border-style": "dotted" } : {}),
        },
      }));
      const shapes = Object.entries(data.shapes).map(([family, shape]) => ({ selector: `node.${family}`, style: { shape } }));
      return [
        { selector: "node", style: {
          width: WIDE, height: HIGH, label: "data(label)", "text-wrap": "wrap", "text-valign": "center", "text-halign": "center",
          "font-family": getComputedStyle(document.body).fontFamily, "font-size": 11.5, "line-height": 1.25,
          "border-width": 1.25, "min-zoomed-font-size": 5, "overlay-opacity": 0,
        } },
        ...fates, ...shapes,
        { selector: "node.root", style: { "border-width": 4, "border-style": "double", "border-color": ink } },
        { selector: "node.maybe", style: { "border-style": "dashed", "border-width": 2 } },
        { selector: "node.stack", style: { shape: "round-rectangle", ghost: "yes", "ghost-offset-x": 5, "ghost-offset-y": 5, "ghost-opacity": 0.35 } },
        { selector: "node.beside", style: { opacity: 0.4 } },
        { selector: "edge", style: {
          width: 1.3, "line-color": soft, "target-arrow-color": soft, "target-arrow-shape": "triangle", "arrow-scale": 0.8,
          "curve-style": "taxi", "taxi-direction": "rightward", "taxi-turn": 34, "taxi-turn-min-distance": 6, "overlay-opacity": 0, opacity: 0.75,
        } },
        { selector: "edge.maybe", style: { "line-style": "dashed" } },
        { selector: "edge.extra", style: { "curve-style": "bezier" } },
        { selector: "edge.also", style: { "curve-style": "unbundled-bezier", "line-style": "dotted", "line-color": line, "target-arrow-color": line, "control-point-distances": 60, "control-point-weights": 0.5 } },
        { selector: ".dim", style: { opacity: 0.22 } },
        { selector: "edge.path", style: { width: 3.5, "line-color": accent, "target-arrow-color": accent, opacity: 1, "z-index": 5 } },
        { selector: "node.path", style: { opacity: 1, "outline-width": 3, "outline-color": accent, "outline-offset": 2, "outline-opacity": 1 } },
      ];
    }

    const short = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;

    /** What stands right of an asset: some assets by themselves, the others stacked by their fate. */
    function branch(asset, pinned) {
      const children = (asset ? asset.children : tops).filter((child) => child.shown);
      if (children.length <= SIDE_BY_SIDE + 2) return { alone: children, stacks: [] };
      const alone = [], groups = new Map();
      children.forEach((child, place) => {
        if (place < SIDE_BY_SIDE || pinned.has(child.at)) alone.push(child);
        else {
          if (!groups.has(child.fate)) groups.set(child.fate, []);
          groups.get(child.fate).push(child);
        }
      });
      const stacks = [];
      for (const [fate, members] of groups) {
        const id = `s${asset ? asset.at : "top"}-${fate}`;
        const out = asked.get(id) ?? 0;
        alone.push(...members.slice(0, out));
        const left = members.slice(out);
        if (left.length === 1) alone.push(left[0]);
        else if (left.length > 1) stacks.push({ id, fate, members: left, parent: asset });
      }
      return { alone, stacks };
    }

    function widen(budget) {
      const none = new Set();
      let count = 0;
      let level = branch(null, none);
      count += level.alone.length + level.stacks.length;
      let assetsHere = level.alone;
      while (assetsHere.length > 0) {
        const next = [];
        for (const asset of assetsHere) {
          if (asset.children.length === 0) continue;
          const below = branch(asset, none);
          const size = below.alone.length + below.stacks.length;
          if (!open.has(asset.at)) {
            if (count + size > budget) continue;
            open.add(asset.at);
          }
          count += size;
          next.push(...below.alone);
        }
        assetsHere = next;
      }
      return count;
    }

    function labelOf(asset, hiddenBelow) {
      const fate = data.fates[asset.fate];
      const rows = asset.rows ? ` · ${counted(asset.rows, "row")}` : "";
      const kindWord = asset.kind.split(".").pop();
      const below = hiddenBelow > 0 ? `  ▸ ${spaced(hiddenBelow)}` : "";
      return `${fate.mark} ${short(asset.name, 24)}\n${short(kindWord + rows, 24)}${below}`;
    }

    function stackLabel(stack) {
      const kinds = new Map();
      for (const member of stack.members) {
        const word = member.kind.split(".").pop();
        kinds.set(word, (kinds.get(word) ?? 0) + 1);
      }
      const words = [...kinds].sort((left, right) => right[1] - left[1]).map(([word, count]) => `${count} ${word}`);
      return `${data.fates[stack.fate].mark} ${spaced(stack.members.length)} more\n${short(words.join(", "), 28)}`;
    }

    function shownBelow(asset) {
      let count = 0;
      for (let at = asset.at + 1; at <= asset.last; at++) count += assets[at].shown ? 1 : 0;
      return count;
    }

    /** What must be drawn so that the path to an asset is seen. */
    function needed(asset) {
      const found = new Set();
      for (const step of stepsTo(asset)) {
        for (let each = step.asset; each && !found.has(each.at); each = assets[each.parent]) found.add(each.at);
      }
      return found;
    }

    function draw(anchor) {
      const pinned = chosen ? needed(chosen) : new Set();
      for (const at of pinned) if (chosen.at !== at) open.add(at);
      const before = anchor && cy.getElementById(anchor).nonempty() ? cy.getElementById(anchor).renderedPosition() : null;
      const elements = [];
      drawn = new Map();
      let line = 0;
      const spans = new Map();
      const frames = [];
      enter(null, -1);
      while (frames.length > 0) {
        const { asset, pile, depth, isDone } = frames.pop();
        if (pile) placePile(pile, depth);
        else if (isDone) {
          const lines = spans.get(asset);
          placeAsset(asset, depth, (lines[0] + lines.at(-1)) / 2, 0);
        } else if (open.has(asset.at) && asset.children.some((child) => child.shown)) enter(asset, depth);
        else placeAsset(asset, depth, line++ * DOWN, shownBelow(asset));
      }

      // An asset stands in the middle of what it leads to, so it is placed after that.
      function enter(asset, depth) {
        const { alone, stacks } = branch(asset, pinned);
        spans.set(asset, []);
        if (asset !== null) frames.push({ asset, depth, isDone: true });
        for (const pile of stacks.reverse()) frames.push({ pile, depth: depth + 1 });
        for (const child of alone.reverse()) frames.push({ asset: child, depth: depth + 1 });
      }

      function placePile(pile, depth) {
        const y = line++ * DOWN;
        spans.get(pile.parent).push(y);
        elements.push({ data: { id: pile.id, label: stackLabel(pile), pile }, position: { x: depth * ACROSS, y }, classes: `stack ${pile.fate}` });
        if (pile.parent) elements.push({ data: { id: `e${pile.id}`, source: `n${pile.parent.at}`, target: pile.id } });
      }

      function placeAsset(asset, depth, y, hiddenBelow) {
        const classes = [asset.fate, asset.family];
        if (asset.flags & ROOT) classes.push("root");
        if (!(asset.flags & CERTAIN) || asset.flags & UNMAPPED) classes.push("maybe");
        if (!asset.matches) classes.push("beside");
        const position = { x: depth * ACROSS, y };
        drawn.set(asset.at, position);
        spans.get(asset.parent === NOBODY ? null : assets[asset.parent]).push(y);
        elements.push({ data: { id: `n${asset.at}`, label: labelOf(asset, hiddenBelow), at: asset.at }, position, classes: classes.join(" ") });
        if (asset.parent !== NOBODY) {
          const edge = edgeOf(asset);
          elements.push({ data: { id: `e${asset.at}`, source: `n${asset.parent}`, target: `n${asset.at}` }, classes: edge && !edge[4] ? "maybe" : "" });
        }
      }

      if (also.checked) {
        data.edges.forEach(([source, target, , , certain], number) => {
          if (drawn.has(source) && drawn.has(target) && assets[target].edge !== number && source !== target) {
            elements.push({ data: { id: `x${number}`, source: `n${source}`, target: `n${target}` }, classes: certain ? "also" : "also maybe" });
          }
        });
      }
      cy.batch(() => {
        cy.elements().remove();
        cy.add(elements.filter(({ data: { source } }) => source === undefined));
        cy.add(elements.filter(({ data: { source } }) => source !== undefined));
      });
      const after = anchor ? cy.getElementById(anchor) : null;
      if (before && after.nonempty()) {
        const now = after.renderedPosition();
        cy.panBy({ x: before.x - now.x, y: before.y - now.y });
      }
      isStale = false;
      light(chosen);
    }

    function light(asset) {
      cy.batch(() => {
        cy.remove(".extra");
        cy.elements().removeClass("path dim");
        if (!asset) return;
        cy.elements().addClass("dim");
        for (const { asset: each, number } of stepsTo(asset)) {
          cy.getElementById(`n${each.at}`).removeClass("dim").addClass("path");
          if (number === null) continue;
          const [source, target, , , certain] = data.edges[number];
          if (each.edge === number) cy.getElementById(`e${each.at}`).removeClass("dim").addClass("path");
          else if (drawn.has(source) && drawn.has(target)) {
            cy.add({ data: { id: `p${number}`, source: `n${source}`, target: `n${target}` }, classes: `extra path${certain ? "" : " maybe"}` });
          }
        }
      });
      say(asset);
    }

    function say(asset) {
      if (!asset) {
        const hidden = assets.reduce((sum, each) => sum + (each.shown && !drawn.has(each.at) ? 1 : 0), 0);
        caption.textContent = hidden > 0
          ? `${counted(drawn.size, "asset")} drawn, ${spaced(hidden)} in closed branches (▸) and stacks; click one to open it.`
          : `All ${counted(drawn.size, "asset")} drawn, from the plan at the left to what it reaches.`;
        return;
      }
      const edge = edgeOf(asset);
      caption.replaceChildren(inWords(asset), ...(edge && asset.parent !== NOBODY ? [": ", ...prose(edge[2])] : []));
    }

    /** All of it if that can be read, else the beginning at a size that can. */
    function fit() {
      cy.resize();
      cy.fit(undefined, 24);
      if (cy.zoom() > 1) {
        cy.zoom(1);
        cy.center();
      }
      const readable = 0.75;
      if (cy.zoom() < readable && cy.nodes().nonempty()) {
        cy.zoom(readable);
        const roots = cy.nodes(".root");
        const target = (roots.nonempty() ? roots[0] : cy.nodes()[0]).position();
        cy.pan({ x: 30 + WIDE * readable / 2 - target.x * readable, y: cy.height() / 2 - target.y * readable });
      }
    }

    function whole() {
      cy.resize();
      cy.fit(undefined, 24);
      if (cy.zoom() > 1) { cy.zoom(1); cy.center(); }
    }

    function show(id) {
      const node = cy.getElementById(id);
      if (node.empty()) return;
      const at = node.renderedBoundingBox();
      const isInside = at.x1 >= 0 && at.y1 >= 0 && at.x2 <= cy.width() && at.y2 <= cy.height();
      if (cy.zoom() < 0.5) cy.zoom(0.8);
      if (!isInside || cy.zoom() < 0.5) cy.center(node);
    }

    function press(id) {
      const node = cy.getElementById(id);
      const pile = node.data("pile");
      if (pile) {
        asked.set(pile.id, (asked.get(pile.id) ?? 0) + AT_ONCE);
        draw(pile.parent ? `n${pile.parent.at}` : null);
        return;
      }
      const asset = assets[node.data("at")];
      if (asset.children.length > 0) {
        if (open.has(asset.at) && chosen === asset) open.delete(asset.at);
        else open.add(asset.at);
        isStale = true;
      }
      choose(asset, { from: "picture" });
    }

    cy.on("tap", "node", (event) => { box.focus({ preventScroll: true }); press(event.target.id()); });
    cy.on("tap", (event) => { if (event.target === cy && chosen) choose(null, { from: "picture" }); });
    cy.on("mouseover", "node", (event) => {
      box.style.cursor = "pointer";
      const at = event.target.data("at");
      if (at !== undefined) light(assets[at]);
    });
    cy.on("mouseout", "node", () => { box.style.cursor = ""; light(chosen); });

    box.addEventListener("mouseleave", () => light(chosen));

    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const near = chosen && drawn.has(chosen.at) ? chosen : null;
      const level = near && near.parent !== NOBODY ? assets[near.parent].children : tops;
      const beside = level.filter((asset) => drawn.has(asset.at)).sort((left, right) => drawn.get(left.at).y - drawn.get(right.at).y);
      const go = (asset) => { if (asset) choose(asset, { from: "keys" }); };
      switch (event.key) {
        case "ArrowRight":
          if (!near) go(beside[0]);
          else {
            if (!open.has(near.at) && near.children.length > 0) { open.add(near.at); draw(`n${near.at}`); }
            go(near.children.find((child) => drawn.has(child.at)));
          }
          break;
        case "ArrowLeft": go(near ? assets[near.parent] : beside[0]); break;
        case "ArrowDown": go(near ? beside[beside.indexOf(near) + 1] : beside[0]); break;
        case "ArrowUp": go(near ? beside[beside.indexOf(near) - 1] : beside.at(-1)); break;
        case "Home": go(tops.find((asset) => drawn.has(asset.at))); break;
        case "Enter": case " ":
          if (near && near.children.length > 0) {
            if (open.has(near.at)) open.delete(near.at);
            else open.add(near.at);
            draw(`n${near.at}`);
          }
          break;
        case "+": case "=": zoom(1.25); break;
        case "-": zoom(0.8); break;
        case "0": whole(); break;
        case "Escape": choose(null, { from: "keys" }); break;
        default: return;
      }
      event.preventDefault();
    });

    function zoom(by) {
      cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
    }
    byId("zoom-in").addEventListener("click", () => zoom(1.25));
    byId("zoom-out").addEventListener("click", () => zoom(0.8));
    byId("fit").addEventListener("click", whole);
    byId("more").addEventListener("click", () => { widen(Math.min(MOST, drawn.size * 3 + 20)); draw(null); whole(); });
    byId("less").addEventListener("click", () => { open.clear(); asked.clear(); draw(null); fit(); });
    also.addEventListener("change", () => draw(null));

    function recolor() {
      cy.style().fromJson(style()).update();
    }
    new ResizeObserver(() => cy.resize()).observe(box);

    const opened = [];
    addEventListener("beforeprint", () => {
      for (const each of document.querySelectorAll("details:not([open])")) {
        each.open = true;
        opened.push(each);
      }
      const before = root.dataset.theme;
      root.dataset.theme = "light";
      recolor();
      const image = byId("graph-print");
      image.src = cy.png({ full: true, scale: 2, maxWidth: 2400, maxHeight: 2400, bg: "#ffffff" });
      image.alt = "The picture of what is reached, as it was on the screen; the table has the same content.";
      image.hidden = false;
      if (before === undefined) delete root.dataset.theme;
      else root.dataset.theme = before;
    });
    addEventListener("afterprint", () => {
      byId("graph-print").hidden = true;
      for (const each of opened.splice(0)) each.open = false;
      recolor();
    });

    return {
      recolor,
      begin() {
        open.clear();
        asked.clear();
        widen(BEGIN);
        draw(null);
        fit();
      },
      choose(asset, from) {
        if (isStale || (asset && [...needed(asset)].some((at) => !drawn.has(at)))) draw(asset ? `n${asset.at}` : null);
        else light(asset);
        if (asset && from !== "picture") show(`n${asset.at}`);
      },
      at: (id) => cy.getElementById(id).renderedPosition(),
      look: () => ({
        drawn: drawn.size,
        nodes: cy.nodes().length,
        zoom: cy.zoom(),
        path: cy.nodes(".path").map((node) => node.id()),
        piles: cy.nodes(".stack").map((node) => node.id()),
      }),
    };
  })();

  // What the browser tests look at.
  window.interlockReport = {
    look: picture.look,
    at: picture.at,
    chosen: () => chosen?.at ?? null,
    steps: () => chosen ? stepsTo(chosen).length : 0,
  };
  tellTheme();
  filter();
  performance.mark("ready");
  root.dataset.ready = "true";
})();
