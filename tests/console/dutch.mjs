// In Dutch: one address of every route that the walk found is opened by a browser that asks for Dutch.
//
//   WEIR_SCREENS  screens.json of a walk on the same server; WEIR_OUT/screens.json
//
// What comes from REST is English; names and titles are whatever they are. Texts of the console's own are looked at.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { whole } from './audit.mjs';
import { find, must, open, out, remark, run, signIn, visitor, watch } from './browser.mjs';
import { route } from './screens.mjs';

const texts = fileURLToPath(new URL('../../crates/weir-console/texts/en', import.meta.url));
/** Names of texts, such as `updates.tab_files`: one that is seen has no text. Tables count by their own name. */
const keys = readdirSync(texts).filter((file) => file.endsWith('.toml')).flatMap((file) => {
  const area = file.slice(0, -'.toml'.length);
  let table = '';
  return readFileSync(join(texts, file), 'utf8').split('\n').flatMap((line) => {
    const head = /^\[([\w.]+)\]/.exec(line);
    if (head) { table = `${head[1]}.`; return [`${area}.${head[1]}`]; }
    const key = /^([\w-]+|"[^"]*") *=/.exec(line)?.[1];
    return key ? [`${area}.${table}${key.replaceAll('"', '')}`] : [];
  });
});
/** The texts of a language that stand as they are: those with nothing to fill in. */
const plain = (language) => {
  const folder = join(texts, '..', language);
  return readdirSync(folder).filter((file) => file.endsWith('.toml')).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^(?:[\w-]+|"[^"]*") *= *"((?:[^"\\]|\\.)*)"/gm)]
      .map((found) => found[1].replaceAll('\\"', '"').replaceAll('\\\\', '\\'))
      .filter((text) => text.length > 7 && !text.includes('{')));
};
/** Texts of ours that are English: those that Dutch has, too, are words of both. */
const dutch = new Set(plain('nl'));
const english = plain('en').filter((text) => !dutch.has(text));
/** Where titles, states and names come from REST, which may be the words of texts of ours. */
const REST = new Set(['/reports/{id}', '/settings/criteria', '/settings/criteria/{name}/apply']);
/** Pages side by side. */
const TABS = 2;

/** Texts of a page that should not be there. */
const strange = (page) => page.evaluate(({ known, english }) => {
  const seen = { named: [], english: [], raw: [] };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.trim();
    const parent = node.parentElement;
    if (text.length < 3 || parent.closest('code, pre, kbd, samp, script')) continue;
    if (known.includes(text)) seen.named.push(text);
    if (parent.closest('[lang]').lang !== 'nl') continue;
    if (/^[a-z]+(_[a-z]+)+$/.test(text)) seen.raw.push(text);
    if (english.includes(text)) seen.english.push(text);
  }
  return seen;
}, { known: keys, english });

await run('dutch', async (browser) => {
  const list = JSON.parse(readFileSync(process.env.WEIR_SCREENS ?? `${out}/screens.json`, 'utf8'));
  const screens = new Map();
  for (const { address } of list) {
    const template = route(decodeURI(new URL(address, 'https://none.test').pathname));
    if (!screens.has(template)) screens.set(template, address);
  }
  const first = await visitor(browser, { locale: 'nl-NL' });
  const page = await signIn(first);
  const tabs = [page];
  const session = await first.storageState();
  while (tabs.length < TABS) tabs.push(await (await visitor(browser, { locale: 'nl-NL', storageState: session })).newPage());
  tabs.forEach(watch);

  const queue = [...screens];
  must(queue.length > 100, 'screens.json', `it names ${queue.length} routes`);
  const look = async (tab) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [template, address] = next;
      const name = `${template} in Dutch`;
      try {
        const response = await open(tab, address);
        must(response?.status() === 200, name, 'it does not answer 200', `${address}: ${response?.status()}`);
        await whole(tab, name, 'nl');
        const seen = await strange(tab);
        must(!seen.named.length, name, 'names of texts are there instead of texts', seen.named.join(', '));
        must(!seen.english.length || REST.has(template), name, 'a text of ours is in English', seen.english.slice(0, 4).join('\n'));
        if (seen.raw.length) remark(name, 'words of the interface are there as they are', [...new Set(seen.raw)].join(', '));
      } catch (error) {
        find(name, 'it could not be looked at', `${address}: ${error.message}`);
      }
    }
  };
  await Promise.all(tabs.map(look));
  return `${screens.size} routes in Dutch`;
});
