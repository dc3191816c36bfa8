// Which screens there are: the routes of the console's source, and which of them an address belongs to.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../crates/weir-console/src', import.meta.url));

const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
  const path = join(folder, entry.name);
  return entry.isDirectory() ? files(path) : path.endsWith('.rs') ? [path] : [];
});
const texts = new Map(files(source).map((file) => [file, readFileSync(file, 'utf8')]));

/** What a route is given, up to the parenthesis that ends it. */
const upToEnd = (text) => {
  let depth = 1;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (!depth) return text.slice(0, at);
  }
  return text;
};

/** How many folders two files share. */
const shared = (a, b) => {
  const [one, other] = [a.split('/'), b.split('/')];
  const end = one.findIndex((part, at) => part !== other[at]);
  return end < 0 ? one.length : end;
};

/** The path that a route is written with: a text, or a constant of this file or of a module that is near. */
const written = (file, word) => {
  if (word.startsWith('"')) return word.slice(1, -1);
  const [name, module] = word.split('::').reverse();
  const declared = new RegExp(`const ${name}: &(?:'static )?str = "([^"]*)"`);
  const near = [...texts.keys()].filter((each) => (module ? each.endsWith(`/${module}.rs`) || each.endsWith(`/${module}/mod.rs`) : each === file));
  const [found] = near.sort((a, b) => shared(b, file) - shared(a, file)).map((each) => declared.exec(texts.get(each))?.[1]).filter(Boolean);
  if (!found) throw new Error(`${file}: what is ${word}?`);
  return found;
};

/** Every route that answers GET. */
export const routes = [...new Set([...texts].flatMap(([file, text]) => [...text.matchAll(/\.route\(\s*("\/[^"]*"|[\w:]+)\s*,/g)]
  .filter((found) => /\bget\(/.test(upToEnd(text.slice(found.index + found[0].length))))
  .map((found) => written(file, found[1]))))].sort();

/** The route that answers a path; a literal part goes before one that is anything. None if there is none. */
export const route = (path) => {
  const parts = path.split('/');
  const fits = routes.filter((each) => {
    const own = each.split('/');
    // {*name} is all that follows
    const rest = own.at(-1).startsWith('{*') && parts.length >= own.length;
    return (rest || own.length === parts.length) && own.every((part, at) => part === parts[at] || (part.startsWith('{') && parts[at]));
  });
  const literal = (each) => each.split('/').map((part) => (part.startsWith('{') ? '1' : '0')).join('');
  return fits.sort((a, b) => literal(a).localeCompare(literal(b)))[0];
};

/** Parameters whose value chooses another screen at the same path. */
const CHOOSE = ['tab', 'view', 'kind'];
/** Parameters with which the same path is another screen, whatever their value; all others order, narrow or fill one. */
const ABOUT = ['update', 'group', 'template', 'report'];

/** The screen that an address shows, such as `/updates/{id}?tab=files`; none if no route answers it. */
export const screen = (address) => {
  const url = new URL(address, 'https://none.test');
  const template = route(decodeURI(url.pathname));
  if (!template) return undefined;
  const shown = [...url.searchParams].filter(([, value]) => value).flatMap(([name, value]) => {
    if (CHOOSE.includes(name) && /^[a-z_-]{1,24}$/.test(value)) return [`${name}=${value}`];
    return ABOUT.includes(name) ? [`${name}=*`] : [];
  });
  return template + (shown.length ? `?${[...new Set(shown)].sort().join('&')}` : '');
};

/** A name for files. */
export const named = (key) => key.replace(/[{}]/g, '').replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '') || 'overview';
