// Every screen: found by following links, opened, and looked at, at 1280 and at 390 pixels, light and dark.
//
// The list of screens is the console's own: each route of its source that answers GET must be reached by a link.
//
//   WEIR_PICTURES  1 keeps a picture of every screen in each look, and opens it a second time as a phone does, one after the other;
//                  without, screens are looked at several at a time and nothing is kept
//   WEIR_EACH      addresses of each screen of which links are followed; 2
//   WEIR_TABS      pages that are open side by side without pictures; 2
//
// Writes WEIR_OUT/screens.json.

import { mkdirSync, writeFileSync } from 'node:fs';

import { COLOURS, WIDTH, axe, escaped, fits, note, picture, still, unfold, whole } from './audit.mjs';
import { NARROW, WIDE, drawn, find, must, open, origin, out, run, signIn, visitor, watch } from './browser.mjs';
import { figures } from './figures.mjs';
import { named, route, routes, screen } from './screens.mjs';

/** Whether pictures are kept, for people. */
const PICTURES = process.env.WEIR_PICTURES === '1';
/** Addresses of one screen: the first is looked at, of the others links are followed. */
const EACH = Number(process.env.WEIR_EACH ?? 2);
/** Pages side by side. Times and pictures are those of one page that is alone. */
const TABS = PICTURES ? 1 : Number(process.env.WEIR_TABS ?? 2);
/** Screens at most: more means that links multiply. */
const MOST = 400;
/** Routes that no link leads to when one is signed in, and why. */
const UNLINKED = new Map([
  ['/search', 'a form leads there; it is where this walk begins'],
  ['/sign-in', 'who is signed in has no need of it; it is opened at the end'],
  ['/assets/{name}', 'every page loads them'],
  ['/reports/exports/compliance.parquet', 'a form leads there; it is a file'],
  ['/settings/policy/file', 'it is a file, in the format that the address names'],
  ['/infrastructure/import/bundles/{id}/{act}', 'only a bundle of which parts are awaited leads there'],
  ['/infrastructure/leave', 'only a site below another one can leave; the walk is at the top'],
]);
const BEGIN = ['/', '/search?q=update'];
const LOOKS = { wide: '1280', narrow: '390' };

const FOLDERS = ['1280-light', '1280-dark', '390-light'];
if (PICTURES) for (const folder of FOLDERS) mkdirSync(`${out}/${folder}`, { recursive: true });

/** Keeps a picture of a screen, if pictures are kept. */
const keep = (page, folder, name, height) => PICTURES && picture(page, `${out}/${folder}/${named(name)}.png`, height);

/** Links to this server: where they lead, and whether they say that it is a file. */
const links = (page) => page.evaluate(() => [...document.querySelectorAll('a[href]')]
  .filter((link) => link.origin === location.origin)
  .map((link) => ({ address: link.pathname + link.search, file: link.hasAttribute('download') })));

/** A page that is only read, by a page that is open: its status, its links, and what of it should have stayed text. */
const read = (page, address) => page.evaluate(async (url) => {
  const response = await fetch(url);
  if (!/^text\/html/.test(response.headers.get('content-type') ?? '')) {
    await response.body?.cancel();
    return { status: response.status, none: true, links: [], marked: [] };
  }
  const content = new DOMParser().parseFromString(await response.text(), 'text/html');
  // a document that is parsed takes relative addresses for those of the page that parses it
  const found = [...content.querySelectorAll('a[href]')].map((link) => ({ to: new URL(link.getAttribute('href'), response.url), file: link.hasAttribute('download') }));
  return {
    status: response.status,
    none: false,
    links: found.filter(({ to }) => to.origin === location.origin).map(({ to, file }) => ({ address: to.pathname + to.search, file })),
    marked: [...content.querySelectorAll('[data-escaped]')].map((element) => element.outerHTML.slice(0, 200)),
  };
}, address);

/** Whether an address leads to a page: not to the interface, a file, or the rest of a list. */
const leads = (address) => {
  const { pathname, searchParams } = new URL(address, origin);
  return !/^\/(api|assets|metrics|healthz|readyz|sign-out)(\/|$)/.test(pathname) && !searchParams.has('format') && !searchParams.has('cursor');
};

/** Opens a page of a screen; none if the answer is no page. */
const enter = async (page, { address, key }) => {
  const response = await open(page, address).catch((error) => {
    if (/Download is starting|ERR_ABORTED/.test(error.message)) return undefined;
    throw error;
  });
  if (!response) return false;
  if (!/^text\/html/.test(response.headers()['content-type'] ?? '')) return false;
  must(response.status() === 200, key, 'it does not answer 200', `${address}: ${response.status()}`);
  return true;
};

const pause = () => new Promise((resolve) => { setTimeout(resolve, 50); });

/** Does something with a screen; what goes wrong there is said, and the others follow. */
const tried = async (name, work) => {
  try {
    await work();
  } catch (error) {
    find(name, 'it could not be looked at', error.message);
  }
};

/** One screen at full width. */
const look = async (page, entry) => {
  const { key } = entry;
  if (PICTURES) entry.figures = await figures(page);
  await still(page, key);
  await whole(page, key);
  await escaped(page, key);
  await fits(page, `${key} at 1280`);
  await keep(page, '1280-light', key, 4_000);
  if (!PICTURES) await shrink(page, key);
  await unfold(page);
  await axe(page, `${key} at 1280, light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await keep(page, '1280-dark', key, 4_000);
  // rail and top bar are those of every page: `menus` looks at them
  await axe(page, `${key} at 1280, dark`, COLOURS, 'main');
  await page.emulateMedia({ colorScheme: 'light' });
};

/** Whether the same page fits a phone, without loading it again. */
const shrink = async (page, key) => {
  await page.setViewportSize(NARROW.viewport);
  await drawn(page);
  await fits(page, `${key} at 390`);
  await page.setViewportSize(WIDE.viewport);
};

/** A screen as a phone opens it. */
const phone = async (page, entry) => {
  const { key } = entry;
  await still(page, `${key} at 390`);
  await fits(page, `${key} at 390`);
  await keep(page, '390-light', key, 4_000);
  await axe(page, `${key} at 390`, WIDTH);
};

await run('walk', async (browser) => {
  const wide = await visitor(browser);
  await note(wide);
  const page = await signIn(wide);
  watch(page);
  const session = await wide.storageState();
  /** Another page of the same session. */
  const beside = async (options = {}) => {
    const context = await visitor(browser, { ...options, storageState: session });
    await note(context);
    const another = await context.newPage();
    watch(another);
    await open(another, '/');
    return another;
  };
  const tabs = [page];
  while (tabs.length < TABS) tabs.push(await beside());

  /** Screens by their keys, in the order in which they were found. */
  const known = new Map();
  const queue = [];
  const phones = [];
  const reached = new Set();
  const meet = (address, from, file = false) => {
    const key = screen(address);
    const template = route(decodeURI(new URL(address, origin).pathname));
    if (template) reached.add(template);
    if (file || !leads(address)) return;
    if (!key) { find(from, 'a link leads to no route', address); return; }
    const before = known.get(key);
    if (before && (before.addresses.includes(address) || before.addresses.length >= EACH)) return;
    const entry = before ?? { key, address, from, addresses: [] };
    if (!before) known.set(key, entry);
    entry.addresses.push(address);
    queue.push({ entry, address, first: !before });
  };

  /** Opens one address. */
  const visit = async (tab, { entry, address, first }) => {
    if (!first && !PICTURES) {
      const { status, none, links: found, marked } = await read(tab, address);
      must(status === 200, entry.key, 'it does not answer 200', `${address}: ${status}`);
      must(!marked.length, entry.key, 'a text became markup', marked.join('\n'));
      if (!none) for (const { address: link, file } of found) meet(link, entry.key, file);
      return;
    }
    if (!(await enter(tab, { address, key: entry.key }))) { entry.none = true; return; }
    for (const { address: link, file } of await links(tab)) meet(link, entry.key, file);
    if (first) {
      await look(tab, entry);
      if (PICTURES) phones.push(entry);
    } else {
      await whole(tab, entry.key);
      await escaped(tab, entry.key);
    }
  };
  /** Opens what is known until nothing new comes; each page takes the next address. */
  const wander = async () => {
    let busy = 0;
    const walk = async (tab) => {
      while (queue.length || busy) {
        const next = queue.shift();
        if (!next) { await pause(); continue; }
        busy += 1;
        const { entry, address } = next;
        await tried(`${entry.key} (${address}, a link on ${entry.from})`, () => visit(tab, next));
        busy -= 1;
        if (known.size > MOST) throw new Error(`more than ${MOST} screens: ${[...known.keys()].slice(-20).join(' ')}`);
      }
    };
    await Promise.all(tabs.map(walk));
  };
  let over = false;
  const follow = async () => {
    const small = await beside(NARROW);
    while (!over || phones.length) {
      const entry = phones.shift();
      if (!entry) { await pause(); continue; }
      await tried(`${entry.key} at 390`, async () => { if (await enter(small, entry)) await phone(small, entry); });
    }
  };

  for (const address of BEGIN) meet(address, 'the beginning');
  const following = PICTURES ? follow() : undefined;
  await wander();
  // what nothing links to is opened all the same
  for (const template of routes.filter((each) => !reached.has(each) && !UNLINKED.has(each))) {
    find(template, `no link leads there${template.includes('{') ? ': the data has nothing of the kind, or the link is missing' : ''}`);
    if (!template.includes('{')) meet(template, 'nothing');
  }
  await wander();
  over = true;
  await following;

  const rail = await page.locator('nav a[data-go]').count();
  must(rail === 7, '/', `the rail has ${rail} areas`);

  const screens = [...known.values()].filter((entry) => !entry.none);
  const list = screens.map(({ key, address, addresses, from, figures: measured }) => ({ key, address, addresses, from, ...measured }));
  writeFileSync(`${out}/screens.json`, `${JSON.stringify(list, null, 1)}\n`);
  await menus(page);
  await refusals(browser, wide);
  return `${screens.length} screens of ${routes.length} routes${PICTURES ? `, pictures in ${out}` : ''}: ${screens.map(({ key }) => key).join(' ')}`;
});

/** What opens over a page: the account, columns, keys, results of a search. */
async function menus(page) {
  const each = (name, address, show) => tried(name, async () => {
    await open(page, address);
    await show();
    await axe(page, `${name}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await axe(page, `${name}, dark`, COLOURS);
    await keep(page, '1280-dark', name, 900);
    await page.emulateMedia({ colorScheme: 'light' });
  });
  await each('menu of the account', '/', () => page.locator('header.top details.menu summary').click());
  await each('menu of columns', '/updates', () => page.locator('main').getByText(/^Columns$/).first().click());
  await each('keys', '/', () => page.keyboard.press('?'));
  await each('results as one types', '/', async () => {
    await page.locator('header.top input[type=search]').fill('update');
    await page.locator('#found').getByRole('link').first().waitFor();
  });
}

/** Pages that refuse: without a session, of what is not there. */
async function refusals(browser, signedIn) {
  const visits = [
    [await visitor(browser), '/sign-in', '/sign-in', 200],
    [await visitor(browser), '/updates?sort=title', 'signed out', 200],
    [signedIn, '/no/such/page', 'no page', 404],
    [signedIn, '/updates/00000000-0000-4000-8000-00000000dead', 'no update', 404],
    [signedIn, '/computers/nobody', 'no computer', 404],
    [signedIn, '/updates/groups/none', 'no group', 404],
  ];
  const visit = async ([context, address, name, status]) => {
    const page = await context.newPage();
    const heard = watch(page);
    heard.expected = [status, 401];
    const response = await open(page, address);
    must(response.status() === status, name, `${address} answers ${response.status()}, not ${status}`);
    if (status === 200) must(new URL(page.url()).pathname === '/sign-in', name, `who is not signed in lands on ${page.url()}`);
    await whole(page, name);
    await fits(page, `${name} at ${LOOKS.wide}`);
    await keep(page, '1280-light', name, 2_000);
    await axe(page, `${name}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await axe(page, `${name}, dark`, COLOURS);
    await page.setViewportSize(NARROW.viewport);
    await fits(page, `${name} at ${LOOKS.narrow}`);
    await page.close();
  };
  for (const each of visits) await tried(each[2], () => visit(each));
}
