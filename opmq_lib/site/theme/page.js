// Search, tables in the order asked for, contents open where there is room, no tab stop on tables
// that do not scroll. Without this script everything but search and sorting works.
"use strict";

(() => {
  const LIMIT = 12;
  const PER_PAGE = 2;
  const CONTEXT = 12;
  const NOTHING = "Aucun résultat";
  const SYNONYM = 0.15;
  const WEIGHTS = [10, 6, 4, 1, 0.4];
  const JOBS = 4;

  /** Lower case without accents, ligatures or typographic apostrophes: "Œuvres d’été" → "oeuvres d'ete". */
  const fold = (text) =>
    text
      .toLowerCase()
      .replace(/œ/g, "oe")
      .replace(/æ/g, "ae")
      .replace(/’/g, "'")
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "");

  const ENDINGS =
    /(?:ations?|eries?|euses?|iques?|istes?|ances?|ences?|elles?|ieres?|iers?|ages?|eurs?|ures?|ions?|iels?|ies?|ees?|er|es?|s|x|rices?|ables?|abilites?)$/;
  /** What words of one family share: chimie, chimiques → chim; soudage, soudeurs → soud. */
  const stem = (word) => {
    const short = word.replace(ENDINGS, "");
    return short.length > 3 ? short : word.replace(/s$/, "");
  };

  /** Other words for the same thing, by stem. */
  const SYNONYMS = {
    altern: ["apprenti", "certification"],
    apprenti: ["alternance", "certification"],
    apprentiss: ["alternance", "certification"],
    bac: ["certification"],
    cariste: ["manutention", "magasinage"],
    chauff: ["conducteur"],
    cqp: ["certification"],
    difficil: ["tension"],
    diplom: ["certification"],
    dut: ["certification"],
    embauch: ["recrutement"],
    excel: ["donnees"],
    penur: ["tension"],
    pme: ["entreprise"],
    laborantin: ["laboratoire"],
    postul: ["recrutement"],
    qhse: ["qualite", "environnement"],
    qse: ["qualite", "environnement"],
    recrut: ["embauche"],
    retrait: ["depart"],
    rgpd: ["personnelles"],
    senior: ["ages"],
    sous: ["soudage"],
    telecharg: ["donnees"],
    vae: ["certification"],
    vert: ["ecologique"],
    usin: ["enlevement", "outillage", "regleur"],
  };

  const words = (text) => fold(text).match(/[a-z0-9]+/g) ?? [];
  /** A word of the reader: as typed, its stem, and the stems of its synonyms. */
  const term = (word) => ({ word, stems: [stem(word), ...(SYNONYMS[stem(word)] ?? []).map(stem)] });
  const SMALL = new Set("au aux de des du en et la le les metier metiers ou par pour sur un une".split(" "));
  const terms = (query) => {
    const typed = words(query).filter((word) => word.length > 1);
    const large = typed.filter((word) => !SMALL.has(word));
    return (large.length ? large : typed).map(term);
  };

  /** How well a field answers a term: the very word, its family, a synonym, the word's beginning. */
  const match = (field, { word, stems }) => {
    if (field.words.has(word)) return 1;
    const at = stems.findIndex((one) => field.stems.has(one));
    if (at >= 0) return at ? SYNONYM : 0.9;
    return word.length > 2 && ` ${field.text}`.includes(` ${word}`) ? 0.7 : 0;
  };

  const field = (text) => {
    const found = words(text);
    return { words: new Set(found), stems: new Set(found.map(stem)), text: found.join(" ") };
  };

  /** The place of each term counts: the whole title, its words, names, page, section, text, jobs in it; size. */
  const score = ({ title, fields, jobs, href }, asked, isWhole) => {
    const isAsked = (one) => asked.some(({ word, stems }) => one === word || one === stems[0]);
    const isTitle = title.length && title.every(isAsked);
    let total = isTitle ? 10 : 0;
    for (const one of asked) {
      const found = fields.map((each) => match(each, one));
      if (found[JOBS] <= SYNONYM) found[JOBS] = 0;
      const best = Math.max(...found.map((how, n) => how * WEIGHTS[n]));
      if (!best && isWhole) return 0;
      total += best && best + one.stems.some((stem) => title.includes(stem));
    }
    if (!total) return 0;
    const [isBranch, isCommon] = [/^branches\/\w+\/index/.test(href), !href.startsWith("branches/")];
    const isNamed = total >= 5 * (isWhole ? asked.length : 1);
    const size = Math.log10(1 + jobs);
    return total + (isNamed ? size + 7 * isBranch : 0.02 * size) + 0.5 * isCommon;
  };

  /** The best places, two a page: those of all the terms or, if there are none, of some of them. */
  const search = (entries, asked) => {
    const shown = {};
    const scored = (isWhole) =>
      entries
        .map((entry) => ({ entry, score: asked.length ? score(entry, asked, isWhole) : 0 }))
        .filter((found) => found.score > 0);
    const whole = scored(true);
    return (whole.length ? whole : scored(false))
      .sort((a, b) => b.score - a.score)
      .map((found) => found.entry)
      .filter(({ page }) => (shown[page] = (shown[page] ?? 0) + 1) <= PER_PAGE)
      .slice(0, LIMIT);
  };

  let entries = null;
  /** The index is read once, when the reader comes to the box. */
  const load = (form) =>
    (entries ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = `${form.dataset.root}theme/search-index.js`;
      script.onload = () =>
        resolve(
          window.opmqSearchIndex.map(([href, page, section, text, names = "", jobs = 0, others = ""]) => ({
            href,
            page,
            section,
            text,
            title: section ? [] : terms(page.split(" – ")[0]).map(({ word, stems }) => (names ? stems[0] : word)),
            jobs: Number(jobs),
            fields: [names && `${names} ${page}`, page, section, text, others].map(field),
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
  const excerpt = (text, asked) => {
    const shown = text.split(" ");
    const isFound = (word) => asked.some((one) => match(field(word), one));
    const first = Math.max(0, shown.findIndex(isFound) - CONTEXT / 2);
    const near = shown.slice(first, first + 2 * CONTEXT);
    const parts = near.flatMap((word) => [isFound(word) ? element("mark", word) : word, " "]);
    return element("span", first ? "… " : "", ...parts, first + 2 * CONTEXT < shown.length ? "…" : "");
  };

  const result = (found, root, asked) => {
    const name = found.section ? `${found.page} › ${found.section}` : found.page;
    const link = element("a", element("strong", name), excerpt(found.text, asked));
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
      const asked = terms(query);
      const found = search(await load(form), asked);
      if (query !== input.value.trim()) return;
      list.replaceChildren(...found.map((one) => result(one, form.dataset.root, asked)));
      status.textContent = found.length
        ? `${found.length} résultat${found.length > 1 ? "s" : ""}`
        : NOTHING;
      if (!found.length) {
        const none = element("li", NOTHING);
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

  /** The number that a cell begins with, as French readers write it; none where there is none. */
  const number = (text) => {
    const found = text.replace(/[\s\u00a0\u202f]/g, "").replace("−", "-").match(/-?\d+(?:,\d+)?/);
    return found ? Number(found[0].replace(",", ".")) : null;
  };

  /** Lines by a column; cells without number last, whichever way. */
  const sorted = (rows, column, sign) => {
    const cells = rows.map((row) => ({ row, text: row.cells[column].textContent.trim() }));
    const isNumbers = cells.some(({ text }) => /^[<−-]?\s?\d/.test(text));
    const value = ({ text }) => (isNumbers ? number(text) : text);
    return cells
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === null || y === null) return (x === null) - (y === null);
        return sign * (isNumbers ? x - y : x.localeCompare(y, "fr"));
      })
      .map(({ row }) => row);
  };

  /** Headings of plain tables become buttons that sort; a second press turns the order round. */
  const startSorting = (table) => {
    const [head, body] = [table.tHead, table.tBodies[0]];
    const rows = [...(body?.rows ?? [])];
    const width = head?.rows.length === 1 ? head.rows[0].cells.length : 0;
    if (rows.length < 3 || rows.some((row) => row.cells.length !== width)) return;
    [...head.rows[0].cells].forEach((heading, column) => {
      if (!heading.textContent.trim()) return;
      const button = element("button", ...heading.childNodes);
      button.type = "button";
      button.className = "sort";
      heading.append(button);
      button.addEventListener("click", () => {
        const isUp = heading.getAttribute("aria-sort") === "descending";
        for (const each of head.rows[0].cells) each.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        body.append(...sorted([...body.rows], column, isUp ? 1 : -1));
      });
    });
  };

  // The list of pages scrolls sideways on a phone: its own page is in view, and the page itself stays.
  const showPill = (list) => {
    const pill = list.querySelector("[aria-current]");
    if (pill) list.scrollLeft += pill.getBoundingClientRect().left - list.getBoundingClientRect().left;
  };

  const searches = document.querySelectorAll(".site-search");
  if (matchMedia("(min-width: 40rem)").matches) document.querySelector(".opmq-seek")?.append(...searches);
  searches.forEach(startSearch);
  document.querySelectorAll("main table").forEach(startSorting);
  document.querySelectorAll(".contents").forEach(openContents);
  document.querySelectorAll(".opmq-pages").forEach(showPill);
  easeTabbing();
  window.addEventListener("resize", easeTabbing);
})();
