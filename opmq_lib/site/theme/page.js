// Search, contents open where there is room, no tab stop on tables that do not scroll.
// Without this script everything but search works.
"use strict";

(() => {
  const LIMIT = 12;
  const CONTEXT = 12;

  /** Lower case without accents, ligatures or typographic apostrophes: "Œuvres d’été" → "oeuvres d'ete". */
  const fold = (text) =>
    text
      .toLowerCase()
      .replace(/œ/g, "oe")
      .replace(/æ/g, "ae")
      .replace(/’/g, "'")
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "");

  const search = (entries, query) => {
    const terms = fold(query).split(/\s+/).filter(Boolean);
    if (!terms.length) return [];
    return entries
      .map((entry) => ({ entry, score: score(entry, terms) }))
      .filter((found) => found.score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, LIMIT)
      .map((found) => ({ ...found.entry, terms }));
  };

  /** Every term must be found; a title counts more than a section, a section more than its text. */
  const score = ({ folded }, terms) => {
    let total = 0;
    for (const term of terms) {
      const weight = [8, 4, 1].find((_, field) => folded[field].includes(term));
      if (!weight) return 0;
      total += weight;
    }
    return total;
  };

  let entries = null;
  /** The index is read once, when the reader comes to the box. */
  const load = (form) =>
    (entries ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = form.dataset.index;
      script.onload = () =>
        resolve(
          window.opmqSearchIndex.map(([href, page, section, text]) => ({
            href,
            page,
            section,
            text,
            folded: [page, section, text].map(fold),
          })),
        );
      document.head.append(script);
    }));

  const element = (tag, ...children) => {
    const made = document.createElement(tag);
    made.append(...children);
    return made;
  };

  /** Words around the first one found, those found marked. */
  const excerpt = (text, terms) => {
    const words = text.split(" ");
    const isFound = (word) => terms.some((term) => fold(word).includes(term));
    const first = Math.max(0, words.findIndex(isFound) - CONTEXT / 2);
    const shown = words.slice(first, first + 2 * CONTEXT);
    const parts = shown.flatMap((word) => [isFound(word) ? element("mark", word) : word, " "]);
    return element("span", first ? "… " : "", ...parts, first + 2 * CONTEXT < words.length ? "…" : "");
  };

  const result = (found, root) => {
    const name = found.section ? `${found.page} › ${found.section}` : found.page;
    const link = element("a", element("strong", name), excerpt(found.text, found.terms));
    link.href = root + found.href;
    return element("li", link);
  };

  const startSearch = (form) => {
    const input = form.querySelector("input");
    const list = form.querySelector("ul");
    const status = form.querySelector("[role=status]");
    form.hidden = false;

    const close = () => {
      list.hidden = true;
      status.textContent = "";
    };
    const show = async () => {
      const query = input.value.trim();
      if (query.length < 2) return close();
      const found = search(await load(form), query);
      if (query !== input.value.trim()) return;
      list.replaceChildren(...found.map((one) => result(one, form.dataset.root)));
      status.textContent = found.length
        ? `${found.length} résultat${found.length > 1 ? "s" : ""}`
        : form.dataset.none;
      if (!found.length) {
        const none = element("li", form.dataset.none);
        none.className = "none";
        list.append(none);
      }
      list.hidden = false;
    };

    input.addEventListener("focus", () => load(form), { once: true });
    input.addEventListener("input", show);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const first = list.querySelector("a");
      if (first && !list.hidden) first.click();
    });
    form.addEventListener("keydown", (event) => {
      const links = [...list.querySelectorAll("a")];
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") {
        close();
        input.focus();
      } else if (move && links.length && !list.hidden) {
        event.preventDefault();
        const next = links.indexOf(document.activeElement) + move;
        (next < 0 ? input : links[Math.min(next, links.length - 1)]).focus();
      }
    });
    document.addEventListener("click", (event) => {
      if (!form.contains(event.target)) close();
    });
    form.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !form.contains(event.relatedTarget)) close();
    });
  };

  const openContents = (contents) => {
    const wide = window.matchMedia("(min-width: 68rem)");
    const follow = () => contents.toggleAttribute("open", wide.matches);
    wide.addEventListener("change", follow);
    follow();
  };

  /** A table that fits needs no tab stop; one that scrolls does. */
  const easeTabbing = () => {
    for (const region of document.querySelectorAll("[role=region], pre")) {
      if (region.scrollWidth > region.clientWidth) region.setAttribute("tabindex", "0");
      else region.removeAttribute("tabindex");
    }
  };

  document.querySelectorAll(".site-search").forEach(startSearch);
  document.querySelectorAll(".contents").forEach(openContents);
  easeTabbing();
  window.addEventListener("resize", easeTabbing);
})();
