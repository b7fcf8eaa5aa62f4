// Keeps the list fresh while somebody looks at it. Without this script, reloading the page does the same.
const list = document.querySelector("[data-list]");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(list.dataset.list, { cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  if (fresh.innerHTML.trim() === list.innerHTML.trim()) return;
  const scrolled = [...list.querySelectorAll(".contacts")].map((part) => part.scrollTop);
  list.replaceChildren(...fresh.childNodes);
  list.querySelectorAll(".contacts").forEach((part, i) => (part.scrollTop = scrolled[i] ?? 0));
}

setInterval(() => refresh().catch(() => {}), 1500);
