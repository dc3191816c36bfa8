// What is looked at on every screen: what axe finds, whether anything moved or sticks out, whether a strange text became markup.

import { drawn, find, must, remark, require } from './browser.mjs';

const { source: AXE } = require('axe-core');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Rules whose answer depends on colours, and on the width. */
export const COLOURS = ['color-contrast', 'link-in-text-block'];
export const WIDTH = ['color-contrast', 'target-size', 'scrollable-region-focusable', 'meta-viewport', 'label', 'button-name', 'link-name'];

/** What axe finds, told as findings; mild advice beyond WCAG as remarks. `rules` are those to run, all if there are none; `scope` is
 * the part to look at, the page if there is none. */
export const axe = async (page, name, rules, scope) => {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const violations = await page.evaluate(async ({ tags, only, part }) => {
    const options = only ? { runOnly: { type: 'rule', values: only } } : {
      runOnly: { type: 'tag', values: tags }, rules: { 'target-size': { enabled: true } },
    };
    const result = await globalThis.axe.run(part ? { include: [[part]] } : document, { ...options, resultTypes: ['violations'], elementRef: false, preload: false });
    return result.violations.map(({ id, impact, help, tags: kinds, nodes }) => ({
      id, impact, help, advice: kinds.includes('best-practice') && !['serious', 'critical'].includes(impact), count: nodes.length, first: nodes.slice(0, 3).map((node) => `${node.target.join(' ')}: ${node.any[0]?.message ?? node.html.slice(0, 160)}`),
    }));
  }, { tags: TAGS, only: rules, part: scope });
  for (const { id, impact, help, advice, count, first } of violations) {
    (advice ? remark : find)(name, `axe ${id} (${impact}): ${help}`, `${count}: ${first.join('\n')}`);
  }
};

/** Opens what is folded in the page, menus aside, so that it is looked at, too. */
export const unfold = (page) => page.evaluate(() => {
  for (const part of document.querySelectorAll('main details:not(.menu)')) part.open = true;
});

/** Has a page note what it does before anything of it is drawn. Goes into every page of a context. */
export const note = (context) => context.addInitScript(() => {
  const noted = { shift: 0, moved: [], largest: 0 };
  Object.defineProperty(globalThis, 'noted', { value: noted });
  const name = (node) => {
    const element = node instanceof Element ? node : node?.parentElement;
    return element ? `${element.localName}${element.id && `#${element.id}`}.${[...element.classList].join('.')}` : 'text';
  };
  try {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        noted.shift += entry.value;
        noted.moved.push(...entry.sources.map((source) => name(source.node)));
      }
    }).observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((list) => { noted.largest = list.getEntries().at(-1).startTime; })
      .observe({ type: 'largest-contentful-paint', buffered: true });
  } catch { /* without script in the page nothing is noted */ }
});

/** Shifts below this are roundings of fractions of a pixel, and columns that settle while a long table arrives in pieces. */
const STILL = 0.01;

/** Nothing moved since the first paint. */
export const still = async (page, name) => {
  const { shift, moved } = await page.evaluate(() => globalThis.noted);
  must(shift < STILL, name, 'moved after the first paint', `by ${shift.toFixed(4)}: ${[...new Set(moved)].slice(0, 5).join(', ')}`);
  return shift;
};

/** Nothing makes the page wider than the window; wide tables scroll in themselves. */
export const fits = async (page, name) => {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return [];
    const scrolls = (element) => {
      for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return true;
      }
      return false;
    };
    const out = [...document.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element));
    return [`${document.scrollingElement.scrollWidth} of ${width} pixels`, ...out.slice(0, 4).map((element) => `${element.localName}.${[...element.classList].join('.')}`)];
  });
  must(!wide.length, name, 'wider than the window', wide.join(', '));
};

/** No text of a computer, an update or an event became an element, and none ran. */
export const escaped = async (page, name) => {
  const found = await page.evaluate(() => {
    const marked = [...document.querySelectorAll('[data-escaped]')].map((element) => element.outerHTML.slice(0, 200));
    return globalThis.escaped ? [`ran: ${globalThis.escaped}`, ...marked] : marked;
  });
  must(!found.length, name, 'a text became markup', found.join('\n'));
};

/** A screen is one: a title of its own, one heading of the first rank, a main part with words, no style or script inside. `language` is
 * the one that it should be in. */
export const whole = async (page, name, language = 'en') => {
  const seen = await page.evaluate(() => ({
    title: document.title,
    headings: [...document.querySelectorAll('main h1')].map((each) => each.textContent.trim()),
    words: document.querySelector('main')?.innerText.trim().length ?? 0,
    lang: document.documentElement.lang,
    inline: [...document.querySelectorAll('[style], style, script:not([src]), [onclick], [onload]')].map((each) => each.outerHTML.slice(0, 120)),
    busy: document.querySelectorAll('main [aria-busy=true]').length,
    ids: [...document.querySelectorAll('[id]')].map((each) => each.id).filter((id, at, all) => all.indexOf(id) !== at),
  }));
  must(seen.headings.length === 1 && seen.headings[0], name, `headings of the first rank: ${JSON.stringify(seen.headings)}`);
  must(seen.title && seen.title !== 'Weir', name, `its title is ${JSON.stringify(seen.title)}`);
  must(seen.words > 20, name, 'it is empty');
  must(seen.lang === language, name, `its language is ${seen.lang}`);
  must(!seen.ids.length, name, 'ids are there twice', seen.ids.join(', '));
  must(!seen.busy, name, 'parts of it are still awaited');
  // the module sets heights by itself, long after; the page itself comes without
  must(!seen.inline.length, name, 'style or script is in the page', seen.inline.slice(0, 3).join('\n'));
};

/** A picture, of the whole page up to a height that can be looked at. */
export const picture = async (page, path, height) => {
  await drawn(page);
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  await page.screenshot({
    path, caret: 'initial', animations: 'allow', fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(tall, height) },
  });
};
