// Refreshes the watched part of a page when its stamp changes; asks only while the page is looked at.
// Without this script every page reads the same, a reload shows the newest.
(() => {
  const watched = () => document.querySelector("[data-stamp-url]");
  const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  async function look() {
    const part = watched();
    if (!part || document.visibilityState !== "visible" || busy(part)) return;
    const answer = await fetch(part.dataset.stampUrl, { headers: { Accept: "text/plain" } });
    if (!answer.ok || (await answer.text()) === part.dataset.stamp) return;
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.querySelector("[data-stamp-url]");
    if (!fresh) return;
    for (const old of part.querySelectorAll("details[id]")) {
      const twin = fresh.querySelector("#" + CSS.escape(old.id));
      if (twin) twin.open = old.open;
    }
    part.replaceWith(fresh);
    document.title = page.title;
  }
  if (watched()) setInterval(() => look().catch(() => {}), 5000);
})();
