// What pages do by themselves, on top of HTML that works without it: live figures, search as one types, keys, dialogs,
// a selection that survives paging, long lists, the look, the zone.
// @ts-check

/** @template {Element} [T=HTMLElement] @param {string} selector @param {ParentNode} [root] @returns {T | null} */
const one = (selector, root = document) => /** @type {T | null} */ (root.querySelector(selector));
/** @template {Element} [T=HTMLElement] @param {string} selector @param {ParentNode} [root] @returns {T[]} */
const all = (selector, root = document) => /** @type {T[]} */ ([...root.querySelectorAll(selector)]);

/** @param {string} name @param {string} value */
const keep = (name, value) => {
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Strict; Secure`;
};

/** Fetches a page; where the session is over, the browser goes there itself. @param {string} url @param {RequestInit} [init] */
const page = async (url, init) => {
  const response = await fetch(url, { credentials: "same-origin", ...init });
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Error("signed out");
  }
  return { response, document: new DOMParser().parseFromString(await response.text(), "text/html") };
};

/**
 * Where a form goes: `formAction` of a button without one of its own is the page, not what the form says.
 * @param {HTMLFormElement} form @param {HTMLButtonElement | null} button
 */
// a field that is called "action" hides the property of its form
const goal = (form, button) => button?.hasAttribute("formaction") ? button.formAction : new URL(form.getAttribute("action") ?? "", location.href).href;

// ---- zone and look

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`weir-zone=${encodeURIComponent(zone)}`)) keep("weir-zone", zone);

/** @param {string} theme */
const look = (theme) => {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  keep("weir-theme", theme);
};
const toggleLook = () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  look(dark ? "light" : "dark");
};

// ---- live figures: the regions of this page that a change concerns are fetched again and replaced where they are

const regions = () => all("[data-live]");
/** Whether somebody works in a region: it waits then. @param {Element} region */
const busy = (region) => region.contains(document.activeElement) && region.matches(":focus-within:has(input:focus, select:focus, textarea:focus)");
/** @type {Set<string>} */
let stale = new Set();
let refreshing = false;

const refresh = async () => {
  if (refreshing || document.hidden) return;
  refreshing = true;
  const topics = stale;
  stale = new Set();
  try {
    const fresh = await page(location.href);
    if (!fresh.response.ok) return;
    for (const region of regions()) {
      const wanted = (region.dataset.live ?? "").split(" ").some((topic) => topics.has(topic));
      const next = fresh.document.getElementById(region.id);
      if (!wanted || !next || next.innerHTML === region.innerHTML || region.querySelector("tbody[data-appended]")) continue;
      if (busy(region)) {
        for (const topic of (region.dataset.live ?? "").split(" ")) stale.add(topic);
        continue;
      }
      const open = all("details[open]", region).map((details) => details.querySelector("summary")?.textContent);
      region.replaceChildren(...next.childNodes);
      for (const details of all("details", region)) {
        if (open.includes(details.querySelector("summary")?.textContent)) details.setAttribute("open", "");
      }
      prepare(region);
    }
  } catch (error) {
    console.debug("refresh", error);
  } finally {
    refreshing = false;
    if (stale.size) later();
  }
};
let timer = 0;
const later = () => {
  clearTimeout(timer);
  timer = window.setTimeout(refresh, 400);
};

const listen = () => {
  const topics = new Set(regions().flatMap((region) => (region.dataset.live ?? "").split(" ")));
  // who has to change the password first is told nothing else
  if (!topics.size || !("EventSource" in window) || one("[autocomplete=new-password]")) return;
  const source = new EventSource(`/api/v1/events?topics=${[...topics].sort().join(",")}`);
  source.addEventListener("change", (event) => {
    try {
      for (const topic of JSON.parse(event.data).topics) stale.add(topic);
      later();
    } catch (error) {
      console.debug("event", error);
    }
  });
  addEventListener("pagehide", () => source.close(), { once: true });
};
document.addEventListener("visibilitychange", () => { if (!document.hidden && stale.size) later(); });

// ---- search as one types: the page of results, shown below the field

const search = () => {
  const input = one("[data-search]");
  const found = one("#found");
  if (!(input instanceof HTMLInputElement) || !found) return;
  let asked = 0;
  let wait = 0;
  const close = () => { found.hidden = true; };
  input.addEventListener("input", () => {
    clearTimeout(wait);
    const text = input.value.trim();
    if (text.length < 2) return close();
    wait = window.setTimeout(async () => {
      const mine = ++asked;
      try {
        const { response, document: results } = await page(`/search?q=${encodeURIComponent(text)}`);
        const list = one("[data-results]", results);
        if (mine !== asked || !response.ok || !list) return;
        found.replaceChildren(...list.childNodes);
        found.hidden = false;
      } catch (error) {
        console.debug("search", error);
      }
    }, 160);
  });
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    if (event.key === "Escape") { close(); input.focus(); return; }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = all("a", found);
    if (found.hidden || !links.length) return;
    event.preventDefault();
    const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + (event.key === "ArrowDown" ? 1 : -1);
    (links[at] ?? input).focus();
  };
  input.addEventListener("keydown", move);
  found.addEventListener("keydown", move);
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !found.contains(event.target) && event.target !== input) close();
  });
};

// ---- selection: keys of this list, remembered while one pages, narrows and sorts

const store = `selection:${location.pathname}`;
/** @type {Set<string>} */
const selected = new Set(JSON.parse(sessionStorage.getItem(store) ?? "[]"));

/** @param {HTMLElement} grid */
const selection = (grid) => {
  const form = one("[data-selection]", grid);
  if (!(form instanceof HTMLFormElement)) return;
  const boxes = () => /** @type {HTMLInputElement[]} */ (all(".pick input[name=id]", grid));
  const everything = /** @type {HTMLInputElement | null} */ (one("[data-all]", form));
  const says = one("[data-selected]", form);
  const clear = one("[data-clear]", form);
  const hint = says?.textContent ?? "";
  const show = () => {
    for (const box of boxes()) box.checked = selected.has(box.value);
    const some = selected.size > 0 || Boolean(everything?.checked);
    if (says) says.textContent = selected.size ? (says.dataset.selected ?? "").replace("#", String(selected.size)) : hint;
    if (clear) clear.hidden = !some;
    for (const button of all("button[name=act]", form)) /** @type {HTMLButtonElement} */ (button).disabled = !some;
    grid.classList.add("selecting");
    sessionStorage.setItem(store, JSON.stringify([...selected]));
  };
  let last = -1;
  grid.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "id") return;
    const list = boxes();
    const at = list.indexOf(event.target);
    const from = event.shiftKey && last >= 0 ? last : at;
    for (const box of list.slice(Math.min(from, at), Math.max(from, at) + 1)) {
      if (event.target.checked) selected.add(box.value); else selected.delete(box.value);
    }
    last = at;
    show();
  });
  grid.addEventListener("rows", show);
  everything?.addEventListener("change", show);
  clear?.addEventListener("click", () => { selected.clear(); if (everything) everything.checked = false; show(); });
  form.addEventListener("formdata", (event) => {
    event.formData.delete("id");
    if (!everything?.checked) event.formData.set("ids", [...selected].join(","));
  });
  show();
};

// ---- dialogs: a form that leads to a confirmation shows it over the page

/** @param {Document} answer @param {string} url */
const dialog = (answer, url) => {
  const content = one("main", answer);
  if (!content) return location.assign(url);
  const box = document.createElement("dialog");
  box.setAttribute("aria-label", one("h1", content)?.textContent ?? "");
  box.append(...content.childNodes);
  document.body.append(box);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => {
    if (event.target instanceof Element && (event.target === box || event.target.closest("[data-close]"))) {
      event.preventDefault();
      box.close();
    }
  });
  box.showModal();
  prepare(box);
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.hasAttribute("data-confirm")) {
    sessionStorage.removeItem(store);
    selected.clear();
  }
  if (!form.hasAttribute("data-dialog")) return;
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form, button)));
  try {
    const url = goal(form, button);
    const { response, document: answer } = await page(url, { method: "POST", body });
    if (response.redirected) location.assign(response.url);
    else dialog(answer, url);
  } catch (error) {
    console.debug("dialog", error);
  }
});

// ---- quick looks: a page beside the list that leads to it; the list stays where it is

document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-panel]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    const { response, document: answer } = await page(link.href);
    if (!response.ok) return location.assign(link.href);
    dialog(answer, link.href);
    const box = document.body.lastElementChild;
    if (!(box instanceof HTMLDialogElement)) return;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "plain";
    close.dataset.close = "";
    close.textContent = link.dataset.panel ?? "";
    box.classList.add("side");
    box.prepend(close);
  } catch (error) {
    console.debug("quick look", error);
  }
});

// ---- long lists: pages that follow are appended while one scrolls; those far away leave a spacer of their height

/** @param {HTMLElement} grid */
const windowed = (grid) => {
  const table = one("table", grid);
  const pager = one(".pager", grid);
  if (!table || !pager) return;
  /** @param {HTMLTableSectionElement} body */
  const empty = (body) => {
    const height = body.offsetHeight;
    const row = document.createElement("tr");
    const cell = document.createElement("td");
    row.className = "spacer";
    cell.colSpan = 99;
    cell.style.height = `${height}px`;
    row.append(cell);
    body.replaceChildren(row);
    body.dataset.away = "";
  };
  /** @param {HTMLTableSectionElement} body */
  const fill = async (body) => {
    delete body.dataset.away;
    try {
      const { document: answer } = await page(body.dataset.page ?? "");
      const rows = one("tbody", one(`#${grid.id}`, answer) ?? answer);
      if (rows) body.replaceChildren(...rows.childNodes);
      grid.dispatchEvent(new Event("rows"));
    } catch (error) {
      console.debug("rows", error);
    }
  };
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const body = /** @type {HTMLTableSectionElement} */ (target);
      if (isIntersecting && "away" in body.dataset) fill(body);
      else if (!isIntersecting && !("away" in body.dataset) && !body.contains(document.activeElement)) empty(body);
    }
  }, { rootMargin: "3000px 0px" });
  let loading = false;
  const end = new IntersectionObserver(async (entries) => {
    const next = one("[data-next]", pager);
    if (loading || !entries.some((entry) => entry.isIntersecting) || !(next instanceof HTMLAnchorElement)) return;
    loading = true;
    try {
      const { response, document: answer } = await page(next.href);
      const other = one(`#${grid.id}`, answer);
      const rows = other && one("tbody", other);
      if (!response.ok || !rows) return;
      const body = document.createElement("tbody");
      body.dataset.page = next.href;
      body.dataset.appended = "";
      body.append(...rows.childNodes);
      table.append(body);
      for (const each of all("tbody", table)) near.observe(each);
      const after = one("[data-next]", other);
      if (after instanceof HTMLAnchorElement) next.setAttribute("href", after.getAttribute("href") ?? "");
      else next.remove();
      grid.dispatchEvent(new Event("rows"));
      end.unobserve(pager);
      end.observe(pager);
    } catch (error) {
      console.debug("next", error);
    } finally {
      loading = false;
    }
  }, { rootMargin: "800px 0px" });
  end.observe(pager);
};

// ---- tables: the headings of one that fits stay in sight; one that is too wide scrolls in itself

/** @param {HTMLElement} scroll */
const fitted = (scroll) => {
  const table = one("table", scroll);
  if (!table) return;
  const watched = new ResizeObserver(() => {
    const fits = scroll.classList.toggle("fits", table.offsetWidth <= scroll.clientWidth + 1);
    if (fits) scroll.removeAttribute("tabindex"); else scroll.tabIndex = 0;
  });
  watched.observe(scroll);
  watched.observe(table);
};

// ---- previews beside forms

/** @param {HTMLElement} form */
const preview = (form) => {
  let wait = 0;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = window.setTimeout(async () => {
      const mine = ++asked;
      const body = new URLSearchParams(/** @type {any} */ (new FormData(/** @type {HTMLFormElement} */ (form))));
      try {
        const { response, document: answer } = await page(form.dataset.preview ?? "", { method: "POST", body });
        const next = one("#preview", answer);
        if (mine === asked && response.ok && next) one("#preview")?.replaceChildren(...next.childNodes);
      } catch (error) {
        console.debug("preview", error);
      }
    }, 300);
  });
};

// ---- uploads: how much of the files of a form has been sent, beside it

/** @param {HTMLFormElement} form */
const upload = (form) => {
  const shown = one("[data-sending]", form);
  const bar = /** @type {HTMLProgressElement | null} */ (shown && one("progress", shown));
  const says = shown && one("[data-sent]", shown);
  if (!shown || !bar || !says) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const request = new XMLHttpRequest();
    const ended = (/** @type {boolean} */ failed) => {
      shown.hidden = !failed;
      if (failed) says.textContent = says.dataset.failed ?? "";
      for (const each of all("button[type=submit]", form)) /** @type {HTMLButtonElement} */ (each).disabled = false;
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.max = total;
      bar.value = loaded;
      says.textContent = loaded < total ? `${Math.floor(100 * loaded / total)}\u00a0%` : says.dataset.sent ?? "";
    });
    request.addEventListener("load", () => {
      const url = goal(form, button);
      if (request.responseURL && request.responseURL !== url) return location.assign(request.responseURL);
      const next = one("main", new DOMParser().parseFromString(request.responseText, "text/html"));
      const here = one("main");
      if (!next || !here) return ended(true);
      here.replaceChildren(...next.childNodes);
      prepare(here);
    });
    request.addEventListener("error", () => ended(true));
    request.addEventListener("abort", () => ended(false));
    one("[data-abort]", shown)?.addEventListener("click", () => request.abort(), { once: true });
    request.open("POST", goal(form, button));
    request.send(new FormData(form, button));
    shown.hidden = false;
    for (const each of all("button[type=submit]", form)) /** @type {HTMLButtonElement} */ (each).disabled = true;
  });
};

// ---- keys

let going = false;
let at = -1;
/** @param {number} step */
const move = (step) => {
  const rows = all(".grid tbody tr:not(.spacer)");
  if (!rows.length) return;
  rows[at]?.classList.remove("at");
  at = Math.max(0, Math.min(rows.length - 1, at + step));
  rows[at].classList.add("at");
  rows[at].scrollIntoView({ block: "nearest" });
  one("a", rows[at])?.focus({ preventScroll: true });
};
document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable) return;
  if (event.key === "Escape") for (const menu of all("details.menu[open]")) menu.removeAttribute("open");
  if (target.matches("input:not([type=checkbox]), select, textarea") || one("dialog[open]")) return;
  if (going) {
    going = false;
    const link = all("[data-go]").find((each) => each.dataset.go === event.key);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  const acts = /** @type {Record<string, () => void>} */ ({
    "/": () => one("[data-search]")?.focus(),
    "g": () => { going = true; setTimeout(() => { going = false; }, 1500); },
    "?": () => /** @type {HTMLDialogElement | null} */ (one("#help"))?.showModal(),
    "j": () => move(1),
    "k": () => move(-1),
    "t": toggleLook,
    "x": () => one(".grid tr.at .pick input")?.click(),
  });
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
});

// ---- small things

document.addEventListener("click", async (event) => {
  const target = event.target instanceof Element ? event.target : null;
  for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.removeAttribute("open");
  const copy = target?.closest("[data-copy]");
  if (copy instanceof HTMLElement) {
    await navigator.clipboard.writeText(copy.dataset.copy ?? "");
    const before = [...copy.childNodes];
    copy.replaceChildren(copy.dataset.copied ?? "");
    setTimeout(() => copy.replaceChildren(...before), 1500);
  }
});
document.addEventListener("change", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLSelectElement)) return;
  if (target.hasAttribute("data-submit")) target.form?.requestSubmit();
  if (target.hasAttribute("data-theme-choice")) look(target.value);
});

/** What a part of a page needs when it comes in. @param {ParentNode} root */
const prepare = (root) => {
  for (const button of all("[data-copy]", root)) button.hidden = !navigator.clipboard;
  for (const button of all("[data-noscript]", root)) button.hidden = true;
  for (const form of all("form[data-preview]", root)) preview(form);
  for (const form of all("form[data-upload]", root)) upload(/** @type {HTMLFormElement} */ (form));
  for (const grid of all("[data-grid]", root)) { selection(grid); windowed(grid); }
  for (const scroll of all(".scroll, .panel:has(> table)", root)) fitted(scroll);

  one("[data-focus]", root)?.focus();
};
prepare(document);
search();
listen();
