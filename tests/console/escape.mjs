// A script as the name of a computer, the title of an update, the text of an event, and in addresses: it stays text everywhere.
//
// WEIR_HOSTILE is JSON: {"computer": {"id", "name"}, "update": {"id", "title", "word"}, "event"}. REST keeps the text of an event to
// itself: of that, only nothing may be seen. Each of these texts would put an
// element with the attribute `data-escaped` into a page, or set `escaped`, if anything took it for markup.

import { axe, escaped, whole } from './audit.mjs';
import { must, open, origin, run, said, signIn, visitor, watch, where } from './browser.mjs';
import { front, offers, press, send } from './user.mjs';

const { computer, update } = JSON.parse(process.env.WEIR_HOSTILE);
const REFLECTED = `"><script data-escaped>escaped=1</script><img data-escaped src=x onerror="escaped=1">`;
const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** The page has this text as a text, and nothing of it as markup. */
const has = async (page, text, what, scope = 'main') => {
  const found = plain((await page.locator(scope).allTextContents()).join(' '));
  must(found.includes(plain(text)), where(page), `${what} cannot be read there as it is: ${found.slice(0, 300)}`);
  await clean(page);
};
const clean = async (page) => {
  await escaped(page, where(page));
  const links = await page.locator('a[href]').evaluateAll((all) => all.map((link) => link.protocol ?? new URL(link.href.baseVal, location.href).protocol).filter((protocol) => !/^(https?|mailto):$/.test(protocol)));
  must(!links.length, where(page), `links lead to ${links.join(' ')}`);
};

/** The tabs of a page; each is opened. */
const tabs = async (page) => {
  const all = await page.locator('nav.tabs a, nav[aria-label="Parts of this page"] a').evaluateAll((links) => links.map((link) => link.pathname + link.search));
  for (const tab of [...new Set(all)]) {
    await open(page, tab);
    await clean(page);
  }
  return all;
};

await run('escape', async (browser) => {
  const context = await visitor(browser);
  const page = await signIn(context);
  const heard = watch(page);

  // a computer
  await open(page, `/computers?sort=name:asc`);
  await has(page, computer.name, 'the name of the computer');
  const own = `/computers/${encodeURIComponent(computer.id)}`;
  await open(page, own);
  await has(page, computer.name, 'the name of the computer', 'h1');
  must((await page.title()).includes('<script'), own, 'its name is not in the title as it is');
  const parts = await tabs(page);
  const timeline = parts.find((tab) => /timeline|events|history/.test(tab));
  if (must(timeline, own, `there is no timeline among ${parts.join(' ')}`)) {
    await open(page, timeline);
    await clean(page);
  }
  for (const address of ['/computers/duplicates', '/computers/duplicates?tab=duplicates', '/computers/errors', '/computers/stale']) {
    await open(page, address);
    await clean(page);
  }

  // an update
  await open(page, `/updates?view=all&text=${update.word}`);
  await has(page, update.title, 'the title of the update');
  await open(page, `/updates/${update.id}`);
  await has(page, update.title, 'the title of the update', 'h1');
  await tabs(page);
  await open(page, `/deployments/new?update=${update.id}`);
  await has(page, update.title, 'the title of the update');

  // what the script of the page puts in: results as one types, dialogs
  await open(page, '/');
  // the whole word at once: results of a part of it may be others, and come first on a busy machine
  await page.locator('[data-search], header input[type=search]').first().fill(update.word);
  const found = page.locator('#found, [aria-label="Search results"]').first();
  await found.getByRole('link').first().waitFor();
  await has(page, update.title, 'the title of the update', '#found');
  for (const [address, words, act] of [
    [`/updates?view=all&text=${update.word}`, update.title, /^Decline$/],
    ['/computers?sort=name:asc', computer.name, /^Delete$/],
  ]) {
    await open(page, address);
    const row = page.locator('main tbody tr').filter({ hasText: '<script' }).first();
    await row.getByRole('checkbox').first().check();
    await press(page, act);
    const text = plain(await (await front(page)).innerText());
    must(text.includes(plain(words)), where(page), `what ${act} asks does not name it as it is: ${text.slice(0, 300)}`);
    await clean(page);
    await axe(page, `what ${act} asks on ${new URL(address, origin).pathname}`);
    await row.getByRole('checkbox').first().uncheck({ timeout: 2_000 }).catch(() => {});
  }

  // what stands in addresses and fields
  const text = encodeURIComponent(REFLECTED);
  heard.expected = [400, 404, 422];
  for (const address of [
    `/search?q=${text}`, `/updates?text=${text}`, `/updates?filter=${text}`, `/updates?view=${text}&sort=${text}&cursor=${text}`,
    `/updates?f=${text}&col=${text}`, `/computers?text=${text}`, `/computers?filter=${text}`, `/computers/${text}`, `/no/${text}`,
    `/updates/groups/${text}`, `/computers/collections/${text}`, `/deployments/new?update=${text}`, `/computers/collections/new?rule=${text}&name=${text}`,
    `/deployments?text=${text}&state=${text}`, `/reports/${text}`, `/?site=${text}`,
  ]) {
    const response = await open(page, address);
    must(response.status() < 500, address, `answers ${response.status()}`);
    await whole(page, address);
    await clean(page);
  }
  heard.expected = [];
  await open(page, '/updates');
  if (await offers(page, /^Filter$/)) {
    await send(page, page.locator('main input[type=search]').first(), REFLECTED);
    await clean(page);
    must(await page.locator('main input[type=search]').first().inputValue() === REFLECTED, where(page), 'the field does not keep what was typed');
  }

  // an address that leads elsewhere after the sign-in
  const stranger = await visitor(browser);
  const door = await stranger.newPage();
  for (const to of ['https://example.com/', '//example.com/', 'javascript:escaped=1', '/\\example.com', REFLECTED]) {
    await open(door, `/sign-in?to=${encodeURIComponent(to)}`);
    await clean(door);
    const kept = await door.locator('input[name=to]').inputValue();
    must(/^\/(?![/\\])/.test(kept), '/sign-in', `leads to ${kept}`);
  }
  must(where(door).startsWith('/sign-in') && door.url().startsWith(origin), '/sign-in', `ends at ${door.url()}`);

  // lists as files
  for (const address of ['/computers?format=csv', `/updates?view=all&format=csv&text=${update.word}`]) {
    const answer = await page.evaluate(async (url) => {
      const response = await fetch(url);
      const head = (name) => response.headers.get(name) ?? '';
      return { status: response.status, type: head('content-type'), kept: head('content-disposition'), text: await response.text() };
    }, address);
    must(answer.status === 200 && /^text\/csv/.test(answer.type), address, 'it is no CSV', `${answer.status} ${answer.type}`);
    must(/^attachment/.test(answer.kept), address, 'is shown instead of kept');
    must(answer.text.includes('<script'), address, 'does not have the text as it is');
  }
  return `texts stay texts; last page: ${plain(await said(page)).slice(0, 80)}`;
});
