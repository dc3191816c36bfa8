// The same without any script: forms, lists, confirmations and the look are complete as HTML.
//
// It goes on where the story ended: its user, its catalogue, its computer. WEIR_OTHER is an update that nobody deployed.

import { PATIENCE, must, open, run, visitor, watch, where } from './browser.mjs';
import { comes, confirm, fill, pick, press, sees, send } from './user.mjs';

const { WEIR_COMPUTER: computer, WEIR_OTHER: other } = process.env;

await run('noscript', async (browser) => {
  const context = await visitor(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  watch(page);
  await page.goto(`${new URL('/computers', process.env.WEIR_URL)}`);
  await fill(page, /User name/, 'anna');
  await fill(page, /^Password/, 'a quiet river bends twice');
  await press(page, /^Sign in$/);
  must(new URL(page.url()).pathname === '/computers', where(page), 'the sign-in leads to the page that was asked for');
  await sees(page, computer);

  // a list: search, order, columns, one of its rows
  await page.goto(new URL('/updates', page.url()).href);
  await send(page, page.locator('main input[type=search]').first(), other.split(' ')[0]);
  await sees(page, other);
  const heading = page.locator('main th a').first();
  await Promise.all([page.waitForEvent('framenavigated'), heading.click()]);
  must(await page.locator('main th[aria-sort]').count() === 1, where(page), 'the list is not sorted by what was pressed');
  await page.locator('main').getByText(/^Columns$/).first().click();
  await page.locator('main').getByRole('checkbox', { name: /^Products?$/ }).check();
  await press(page, /^Apply$/, page.locator('main form').filter({ has: page.getByRole('checkbox', { name: /^Products?$/ }) }));
  await sees(page, /^Products?/, page.locator('main thead'));

  // an act on a selection, with its confirmation, and back
  await pick(page, other);
  await press(page, /^Decline$/);
  await confirm(page, /1 update will be declined/, /^Decline/);
  await page.goto(new URL('/updates?view=declined', page.url()).href);
  await pick(page, other);
  await press(page, /^Take decline back$/);
  await confirm(page, /1 update/, /^Take decline back/);

  // a deployment: the form, a field that is wrong, the confirmation
  await page.goto(new URL(`/updates?text=${encodeURIComponent(other)}`, page.url()).href);
  await press(page, other);
  await press(page, /^Deploy$/);
  await fill(page, /^Collection/, /^\s*Pilot/);
  await fill(page, /^Action/, /Detect/);
  await press(page, /^Go on/);
  await confirm(page, /of Pilot will report on/, /^Deploy$/);
  await comes(page, /Active|Waiting/);

  // a collection by rule: the kind is another page of the form
  await page.goto(new URL('/computers/collections/new', page.url()).href);
  await fill(page, /^Name/, 'By rule');
  await fill(page, /^Kind/, /rule/i);
  await press(page, /Use this kind/);
  await fill(page, /^Field of condition 1/, /Operating system|^os\b/i);
  await fill(page, /^Value of condition 1/, 'Windows');
  await press(page, /^Save/);
  await sees(page, /By rule/);

  // the look, the language, help, the end
  await page.locator('header.top details.menu summary').click();
  await fill(page, /^Look/, 'Dark', page.locator('header.top'));
  await fill(page, /^Language/, 'Nederlands', page.locator('header.top'));
  await press(page, /^Apply$/, page.locator('header.top'));
  must(await page.locator('html').getAttribute('data-theme') === 'dark', where(page), 'the look did not change');
  must(await page.locator('html').getAttribute('lang') === 'nl', where(page), 'the language did not change');
  await page.locator('header.top details.menu summary').click();
  await press(page, /^Afmelden|Uitloggen|Sign out/, page.locator('header.top'));
  must(new URL(page.url()).pathname === '/sign-in', where(page), 'signing out leads to the sign-in');
  await open(page, '/updates').catch(() => {});
  must(new URL(page.url()).pathname === '/sign-in', where(page), 'who signed out is not let in');
  return 'forms work without script';
});
