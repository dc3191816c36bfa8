// Without a mouse: the keys that the help lists, an order that follows the page, a focus that can be seen and is not covered.

import { PATIENCE, find, must, open, out, run, signIn, visitor, watch, where } from './browser.mjs';

/** Tabs at most before a page counts as a trap. */
const MOST = 600;
const AREAS = { o: '/', u: '/updates', d: '/deployments', c: '/computers', r: '/reports', i: '/infrastructure', s: '/settings' };
const PAGES = ['/', '/updates', '/computers', '/deployments', '/settings', '/computers/collections/new', '/help'];

/** What has the focus, and whether that can be seen. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const name = `${element.localName}${element.id && `#${element.id}`} ${(element.textContent || element.getAttribute('aria-label') || element.name || '').trim().slice(0, 40)}`;
  // an input whose frame is drawn around it by its parent shows the focus there
  const looks = () => [element, element.parentElement, element.closest('label'), element.closest('tr')].filter(Boolean).map((each) => {
    const own = getComputedStyle(each);
    const outline = own.outlineStyle === 'none' || parseFloat(own.outlineWidth) < 1 ? 'none' : `${own.outlineWidth} ${own.outlineColor}`;
    return [outline, own.boxShadow, own.backgroundColor, own.borderColor, own.textDecorationLine].join(';');
  }).join('|');
  const with_focus = looks();
  const place = element.getBoundingClientRect();
  element.blur();
  const without = looks();
  element.focus({ preventScroll: true });
  const shown = with_focus !== without && place.width > 0;
  const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.2], [0.5, 0.8]].map(([x, y]) => [box.left + box.width * x, box.top + box.height * y]);
  const covered = !points.some(([x, y]) => {
    const there = document.elementFromPoint(x, y);
    return there && (element.contains(there) || there.contains(element) || there.closest('label')?.control === element);
  });
  globalThis.order ??= [];
  const before = globalThis.order.at(-1);
  const backwards = before && !(before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
  const again = globalThis.order.includes(element);
  globalThis.order.push(element);
  return { name, shown, covered, backwards, again, size: box.width * box.height, hidden: style.visibility === 'hidden', index: element.tabIndex };
});

/** Goes through a page with Tab. */
const through = async (page, address) => {
  await open(page, address);
  let count = 0;
  const seen = [];
  for (; count < MOST; count += 1) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    if (!at || at.again) break;
    seen.push(at.name);
    must(at.index <= 0, address, `${at.name} has a place of its own in the order`);
    must(!at.backwards, address, `${at.name} comes after what is below it (${seen.at(-2)})`);
    must(at.size > 0 && !at.hidden, address, `${at.name} has the focus and cannot be seen`);
    must(at.shown, address, `${at.name} has the focus and does not show it`);
    must(!at.covered, address, `${at.name} has the focus behind something else`);
  }
  must(count > 8, address, `only ${count} things are reached: ${seen.join(', ')}`);
  if (count >= MOST) find(address, `Tab does not come to an end after ${seen.at(-1)}`);
};

await run('keyboard', async (browser) => {
  const context = await visitor(browser);
  const page = await signIn(context);
  watch(page);

  for (const address of PAGES) await through(page, address);

  // past the rail
  await open(page, '/updates');
  await page.keyboard.press('Tab');
  const skip = await page.evaluate(() => document.activeElement.getAttribute('href'));
  must(skip === '#main', '/updates', `the first Tab leads to ${skip}, not past the rail`);
  await page.screenshot({ path: `${out}/keyboard-skip.png`, caret: 'initial', animations: 'allow' });
  await page.keyboard.press('Enter');
  must(await page.evaluate(() => location.hash === '#main'), '/updates', 'the way past the rail leads nowhere');

  // the areas
  for (const [key, path] of Object.entries(AREAS)) {
    await open(page, path === '/' ? '/help' : '/');
    const comes = () => page.waitForURL((url) => url.pathname === path, { timeout: PATIENCE / 8 }).then(() => true, () => false);
    // the second key counts for a moment only, which a busy machine may let pass
    let there = false;
    for (let attempt = 0; !there && attempt < 8; attempt += 1) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      there = await comes();
    }
    must(there, 'keys', `g ${key} does not lead to ${path} but to ${where(page)}`);
  }

  // search
  await open(page, '/updates');
  await page.keyboard.press('/');
  must(await page.evaluate(() => document.activeElement?.getAttribute('name') === 'q'), '/updates', '/ does not lead to the search');
  // the whole word at once: results of a part of it would go under the arrow when those of the whole come
  await page.keyboard.insertText('update');
  const found = page.locator('#found');
  await found.getByRole('link').first().waitFor();
  await page.keyboard.press('ArrowDown');
  must(await found.evaluate((list) => list.contains(document.activeElement)), 'search', 'the arrow does not lead into the results');
  await page.keyboard.press('Escape');
  must(await found.isHidden(), 'search', 'Escape does not close the results');
  must(await page.evaluate(() => document.activeElement?.getAttribute('name') === 'q'), 'search', 'Escape does not lead back to the field');
  await page.keyboard.press('g');
  must(where(page) === '/updates', 'search', 'letters that are typed are taken for keys');

  // rows
  await open(page, '/updates');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  const rows = page.locator('main tbody tr');
  must(await rows.first().getByRole('checkbox').first().isChecked(), '/updates', 'j, j, k, x does not select the first row');
  must(await page.locator('main tbody input:checked').count() === 1, '/updates', 'x selects more than one row');
  const title = (await rows.first().getByRole('link').first().innerText()).trim();
  await Promise.all([page.waitForEvent('framenavigated'), page.keyboard.press('Enter')]);
  await page.waitForLoadState('load');
  must((await page.locator('h1').innerText()).includes(title.slice(0, 40)), where(page), `Enter does not open ${title}`);
  await page.goBack();
  await page.waitForLoadState('load');
  must(await page.locator('main tbody input:checked').count() === 1, '/updates', 'the selection is lost on the way back');
  await rows.first().getByRole('checkbox').first().uncheck();

  // help: a dialog that has the focus and gives it back
  await page.keyboard.press('?');
  const help = page.locator('dialog#help');
  must(await help.isVisible(), '/updates', '? does not open the keys');
  must(await help.evaluate((box) => box.contains(document.activeElement)), 'help', 'the focus is not in the dialog');
  for (let tab = 0; tab < 4; tab += 1) await page.keyboard.press('Tab');
  const inside = await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')));
  must(inside, 'help', 'Tab leaves the dialog for what is below it');
  await page.keyboard.press('Escape');
  must(await help.isHidden(), 'help', 'Escape does not close the keys');

  // light and dark
  const look = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await look();
  await page.keyboard.press('t');
  must(await look() !== before, '/updates', 't does not change the look');
  await page.keyboard.press('t');
  must(await look() === before, '/updates', 't does not change the look back');
  return `${PAGES.length} pages by Tab, every key`;
});
