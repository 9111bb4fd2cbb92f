// Search while typing. Without this script the form opens the page of results.
const field = document.getElementById("query");
const list = document.getElementById("found");
let latest = 0;

const close = () => { list.hidden = true; list.replaceChildren(); };

field.addEventListener("input", async () => {
  const number = ++latest;
  if (!field.value.trim()) return close();
  try {
    const answer = await fetch("/search.json?q=" + encodeURIComponent(field.value));
    const { found } = await answer.json();
    if (number !== latest) return;
    list.replaceChildren(...found.map((page) => {
      const [item, link, title, line] = ["li", "a", "b", "span"].map((name) => document.createElement(name));
      [link.href, title.textContent, line.textContent] = [page.address, page.title, page.summary];
      link.append(title, line);
      item.append(link);
      return item;
    }));
    list.hidden = !found.length;
  } catch { close(); }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); field.select(); }
  if (event.key === "Escape") { close(); field.blur(); }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp" || list.hidden) return;
  const links = [field, ...list.querySelectorAll("a")];
  const place = links.indexOf(document.activeElement);
  if (place < 0) return;
  event.preventDefault();
  links[(place + (event.key === "ArrowDown" ? 1 : links.length - 1)) % links.length].focus();
});
document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
