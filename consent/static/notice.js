// Improves the forms that work without it: answers in place, what is granted comes alive, tabs stay in step.
const script = document.querySelector("script[data-consent-script]");
const { prefix, granted: initially, necessary, services, shared } = script.dataset;
const words = (text) => (text || "").split(" ").filter(Boolean);
const all = words(services).map((pair) => pair.split(":"));
const always = new Set(words(necessary));
const own = "[data-consent-banner],[data-consent-confirmation],[data-consent-placeholder],[data-consent-preferences]";
let channel = null;
let granted = new Set(words(initially));
let edited = false;
let pending = false;
let missed = false;
let leaving = false;
let answered = -Infinity;
let turn = 0;

// Trusted Types: the strings that pass are this page's own, and our server's answer. Where the page's policy forbids
// ours, nothing is improved and the forms are posted as they are.
const same = (text) => text;
const rules = { createHTML: same, createScript: same, createScriptURL: same };
let trusted = rules;
try {
  if (window.trustedTypes) trusted = trustedTypes.createPolicy("consentry", rules);
} catch {
  trusted = null;
}

const runs = (key) => always.has(key) || granted.has(key);
const allows = (key) => {
  const members = all.filter(([category]) => category === key);
  return members.length ? members.every(([, service]) => runs(service)) : key === "necessary" || runs(key);
};
const open = () => {
  const notice = document.querySelector("[data-consent-banner]");
  if (!notice) location.assign(`${prefix}?${new URLSearchParams({ next: location.pathname + location.search })}`);
  else focus(notice.querySelector("h2"));
};
window.consent = { allows, open };

function focus(element) {
  if (!element) return;
  if (!element.hasAttribute("tabindex")) element.tabIndex = -1;
  element.focus();
}

function dismiss() {
  const notice = document.querySelector("[data-consent-banner]");
  const focused = notice?.contains(document.activeElement);
  notice?.remove();
  if (focused) focus(document.querySelector("#cst-after"));
}

function reload(removed) {
  if (!edited) location.reload();
  else if (removed.length) stop(removed);
}

// A page with a half-edited form stays. What was withdrawn is cut off here as well: its frames go, and the policy of a
// page that is loaded now stops what its scripts ask for.
async function stop(removed) {
  for (const card of document.querySelectorAll(".cst-on[data-consent-placeholder]")) {
    if (!removed.includes(card.dataset.consentPlaceholder)) continue;
    card.classList.remove("cst-on");
    card.querySelector("iframe").src = "about:blank";
  }
  const { policy } = await ask(`?${new URLSearchParams({ path: location.pathname })}`);
  if (!policy) return;
  document.head.append(Object.assign(document.createElement("meta"), { httpEquiv: "Content-Security-Policy", content: policy }));
  const hosts = policy.split(" ").map((source) => source.split("/")[0].replace(":*", ""));
  for (const frame of document.querySelectorAll("iframe[src^=http], iframe[src^='//']")) {
    const { host, hostname, origin } = new URL(frame.src);
    const stays = (name) => name === host || name === hostname || (name.startsWith("*.") && hostname.endsWith(name.slice(1)));
    if (origin !== location.origin && !hosts.some(stays)) frame.src = "about:blank";
  }
}

// What the visitor has granted now, by service; tells the page, and brings to life what was waiting.
function become(keys, { scripts }) {
  const before = granted;
  granted = new Set(keys);
  const added = [...granted].filter((key) => !before.has(key));
  const removed = [...before].filter((key) => !granted.has(key));
  const refused = all.map(([, service]) => service).filter((key) => !runs(key));
  document.dispatchEvent(new CustomEvent("consent:change", { detail: { granted: [...granted], refused } }));
  if (added.length) revive(scripts);
  return { added, removed };
}

function revive(scripts) {
  for (const card of document.querySelectorAll("[data-consent-placeholder]")) {
    if (runs(card.dataset.consentPlaceholder)) show(card, card.dataset.wrapper);
  }
  if (!scripts) return;
  dropStubs();
  const waiting = [...document.querySelectorAll("[data-consent-service]:not(input)")];
  restore(waiting.filter((element) => runs(element.dataset.consentService) && !element.closest("[data-consent-inert]")));
}

// In document order: a classic script with src holds up those after it, as the parser would; deferred and module
// scripts come last, async ones whenever they like.
async function restore(elements) {
  const last = [];
  for (const element of elements) {
    if (element.localName !== "script") attributes(element, element);
    else if (element.matches("[data-consent-type=module],[data-consent-src][defer]:not([async])")) last.push(element);
    else await run(element);
  }
  for (const element of last) await run(element);
}

function run(old) {
  const fresh = document.createElement("script");
  for (const { name, value } of old.attributes) {
    if (!name.startsWith("data-consent-") && name !== "type") fresh.setAttribute(name, code(name, value));
  }
  fresh.nonce = old.nonce;
  fresh.async = old.hasAttribute("async");
  if (old.dataset.consentType) fresh.type = old.dataset.consentType;
  fresh.textContent = trusted.createScript(old.textContent);
  const waits = old.hasAttribute("data-consent-src") && !fresh.async;
  if (old.hasAttribute("data-consent-src")) fresh.src = trusted.createScriptURL(old.dataset.consentSrc);
  return new Promise((done) => {
    if (waits) fresh.onload = fresh.onerror = () => done();
    old.replaceWith(fresh);
    if (!waits) done();
  });
}

function attributes(from, to) {
  for (const { name, value } of [...from.attributes]) {
    const original = /^data-consent-(?!service$|undeclared$|inert$)(.+)/.exec(name)?.[1];
    if (!original) continue;
    from.removeAttribute(name);
    to.setAttribute(original, code(original, value));
  }
  to.removeAttribute("data-consent-service");
}

const code = (name, value) => (name === "srcdoc" ? trusted.createHTML(value) : name.startsWith("on") ? trusted.createScript(value) : value);

function dropStubs() {
  for (const entry of words(document.querySelector("script[data-stubs]")?.dataset.stubs)) {
    const [service, name] = [entry.slice(0, entry.indexOf(":")), entry.slice(entry.indexOf(":") + 1, -2)];
    if (runs(service) && window[name]?.consentStub) delete window[name];
  }
}

// The card gives way to its frame, which loads `url` or is loading what was posted into it.
function show(card, url) {
  const frame = card.querySelector("iframe");
  if (url) frame.src = url;
  const focused = card.contains(document.activeElement);
  card.classList.add("cst-on");
  if (focused) focus(frame);
}

// The declared storage of services that may not run any more.
async function forget(region) {
  const names = JSON.parse(region?.dataset.forget || "{}");
  const matching = (kind, keys) => {
    const patterns = (names[kind] || []).map((name) => new RegExp(`^${name.split("*").map((part) => part.replace(/[^\w]/g, "\\$&")).join(".*")}$`));
    return keys.filter((key) => patterns.some((pattern) => pattern.test(key)));
  };
  try {
    for (const key of matching("local_storage", Object.keys(localStorage))) localStorage.removeItem(key);
    for (const key of matching("session_storage", Object.keys(sessionStorage))) sessionStorage.removeItem(key);
    if (names.indexeddb && indexedDB.databases) {
      for (const key of matching("indexeddb", (await indexedDB.databases()).map((found) => found.name))) indexedDB.deleteDatabase(key);
    }
    if (names.cache_storage) for (const key of matching("cache_storage", await caches.keys())) await caches.delete(key);
  } catch {
    // The browser keeps storage from this page, so there is nothing to delete.
  }
}

// The server's own confirmation takes the place of what was asked.
function confirm(html) {
  const holder = document.createElement("template");
  holder.innerHTML = trusted.createHTML(html);
  const region = holder.content.firstElementChild;
  if (!region) return;
  document.querySelector("[data-consent-confirmation]")?.remove();
  document.body.prepend(region);
  focus(region.querySelector("[role=status]"));
  forget(region);
}

function fail(form) {
  const said = form.querySelector("[role=alert]") || document.createElement("p");
  said.setAttribute("role", "alert");
  said.textContent = form.dataset.failed;
  form.prepend(said);
}

// One answer at a time, whichever tab it is given in: the browser keeps what the last response sets, so that the last
// to be asked has to be the last to answer. Who has waited for three seconds goes on, and who kept them waiting gives up.
async function alone(work) {
  const [waits, over] = [new AbortController(), new AbortController()];
  let begun = false;
  const begin = () => {
    begun = true;
    return work(over.signal);
  };
  const take = async (options) => navigator.locks.request("consent", options, begin);
  const timer = setTimeout(() => waits.abort(), 3000);
  try {
    await take({ signal: waits.signal }).catch((error) => begun ? Promise.reject(error) : take({ steal: true }));
  } catch {
    if (begun) over.abort();
    else await begin(); // there are no locks here, such as on plain http
  }
  clearTimeout(timer);
}

async function answer(form, button) {
  pending = true;
  turn++;
  form.setAttribute("aria-busy", "true");
  await alone(async (signal) => {
    try {
      const body = new URLSearchParams(new FormData(form, button));
      // Not form.action: that is the buttons of that name.
      const response = await fetch(form.getAttribute("action"), { method: "POST", body, signal, headers: { "X-Consent": "fetch" }, credentials: "same-origin" });
      settle(form, await response.json());
    } catch {
      if (!signal.aborted) fail(form);
    }
  });
  form.removeAttribute("aria-busy");
  ready();
}

// As above for a form that the browser posts by itself: its turn lasts until the page is left.
async function leave(form, button) {
  pending = true;
  await alone((signal) => new Promise((done) => {
    signal.onabort = () => done(window.stop());
    leaving = true;
    form.requestSubmit(button);
  }));
  ready();
}

function ready() {
  pending = leaving = false;
  if (missed) step();
}

function settle(form, { granted: keys, message, html, reload: needed }) {
  if (message === "outdated") return location.reload();
  turn++;
  const taken = message !== "not-recorded" && message !== "cross-site";
  const placed = form.closest("[data-consent-placeholder]");
  if (taken && !placed) dismiss();
  if (!taken || !placed) confirm(html);
  setTimeout(() => {
    const { added, removed } = become(keys, { scripts: !needed });
    // A page that says on its next load what was answered tells the others then: they would hear it first otherwise.
    if (taken && (!needed || edited)) tell();
    if (needed || removed.length) reload(removed);
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.matches("[data-consent-hide]")) {
    event.preventDefault();
    form.closest("[data-consent-confirmation]").remove();
    focus(document.querySelector("main h1") || document.querySelector("h1, main"));
  } else if (form.matches("[data-consent-form]")) {
    if (button?.value === "once") return show(form.closest("[data-consent-placeholder]"));
    const posts = !trusted || form.matches("[data-consent-preferences]");
    if (posts && (leaving || !form.requestSubmit)) return;
    event.preventDefault();
    if (!pending) (posts ? leave : answer)(form, button);
  }
});

document.addEventListener("input", ({ target }) => {
  if (!target.closest(own)) edited = true;
});

// What holds now; nothing if the server can't be asked. Without a query also nothing if something later was asked or
// answered meanwhile.
async function ask(query = "") {
  const mine = query ? turn : ++turn;
  try {
    const response = await fetch(`${prefix}state${query}`, { cache: "no-store", credentials: "same-origin" });
    const state = await response.json();
    return (query || mine === turn) && state;
  } catch {
    return false;
  }
}

// A page that everybody gets alike learns here what this visitor answered; without an answer nothing changes.
async function learn() {
  const { granted: keys, asking } = await ask();
  if (!keys) return;
  if (asking) document.documentElement.removeAttribute("data-consent-seen");
  else dismiss();
  if (keys.length && trusted) become(keys, { scripts: true });
}
if (shared !== undefined && window.top === window) learn();

// Another tab, or this page's own future, answered: what was withdrawn must stop, what was granted may begin.
async function step() {
  missed = pending;
  if (pending) return;
  const { granted: keys, asking } = await ask();
  if (!keys) return;
  if (!asking) dismiss();
  if ([...granted].sort().join(" ") === [...keys].sort().join(" ")) return;
  reload(become(keys, { scripts: false }).removed);
}

// A page that was still on its way when the others were told says how long it took, in milliseconds: whoever has
// answered since tells it again. A page that the browser keeps doesn't listen, as it would be dropped for what it hears.
function listen() {
  channel = window.BroadcastChannel ? new BroadcastChannel("consent") : null;
  if (!channel) return;
  channel.onmessage = ({ data }) => (data ? performance.now() - answered < data && tell() : step());
  channel.postMessage(performance.now());
}
function tell() {
  answered = performance.now();
  channel?.postMessage(0);
}
listen();
addEventListener("pagehide", () => (channel = channel?.close()));
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  listen();
  missed = true;
  ready();
});

const said = document.querySelector("[data-consent-confirmation]");
if (said) {
  forget(said);
  tell();
  said.querySelector("[role=status]").focus({ preventScroll: true });
}
for (const inert of document.querySelectorAll("[data-consent-inert]")) {
  const card = inert.previousElementSibling;
  if (card?.matches("[data-consent-placeholder]") && getComputedStyle(inert).position === "absolute") card.classList.add("cst-fills");
}
