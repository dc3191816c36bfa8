// From the link that a new server prints to a computer that is deployed to and complies, as an administrator walks it.
//
// The test that starts it lets the computer act: ASK scan, ASK install. WEIR_SOURCE is the server to synchronize from.

import { ask, must, open, run, said, signIn, visitor, watch, where } from './browser.mjs';
import { asks, comes, comesButton, confirm, fill, front, offers, pick, press, sees, send } from './user.mjs';

const NAME = 'anna';
const PASSWORD = 'a quiet river bends twice';
const { WEIR_SOURCE: source, WEIR_COMPUTER: computer, WEIR_UPDATE: update, WEIR_PRODUCT: product, WEIR_CLASSIFICATION: classification } = process.env;

/** Goes by the rail: an area, then one of its pages. */
const go = async (page, area, entry) => {
  const rail = page.locator('nav.rail, nav[aria-label="Areas"]').first();
  await press(page, area, rail);
  if (entry) await press(page, entry, page.locator('nav.rail, nav[aria-label="Areas"]').first());
};

/** Makes a user, and gives the password that is shown this once. */
const user = async (page) => {
  await go(page, /^Settings/, /Users/);
  await press(page, /(new|make|add|create).*user/i);
  await fill(page, /^(User )?name/i, NAME);
  await fill(page, /^Role/, /Full administrator/);
  await press(page, /./, page.locator('main form .buttons'));
  await sees(page, NAME);
  const shown = (await page.locator('main code').allTextContents()).map((text) => text.trim()).filter((text) => /^\S{16,}$/.test(text));
  if (!must(shown.length === 1, where(page), 'the password of the new user is not shown')) throw new Error(await said(page));
  return shown[0];
};

/** The password that was shown has to be replaced before anything else is allowed. */
const replace = async (page, first) => {
  const fresh = page.locator('main input[autocomplete=new-password]');
  must(await fresh.count() === 2, where(page), 'who signs in with a password that was made is not asked for another one');
  await open(page, '/computers');
  must(await fresh.count() === 2, where(page), 'a page opens before the password was changed');
  await page.locator('main input[autocomplete=current-password]').fill(first);
  for (const field of await fresh.all()) await field.fill(PASSWORD);
  await press(page, /./, page.locator('main form .buttons'));
};

const signOut = async (page) => {
  await page.locator('header.top details.menu summary').click();
  await press(page, /Sign out/, page.locator('header.top'));
  must(new URL(page.url()).pathname === '/sign-in', where(page), 'signing out leads to the sign-in');
};

const signInWith = async (page, password) => {
  await fill(page, /User name/, NAME);
  await fill(page, /^Password/, password);
  await press(page, /^Sign in$/);
};

/** Finds what has this name among all, ticks it, looks at what that means, and confirms. */
const choose = async (page, name) => {
  const field = page.locator('main').getByRole('searchbox').filter({ visible: true }).first();
  if (await field.count()) await send(page, field, name);
  const box = page.locator('main').getByRole('checkbox', { name }).first();
  await box.check();
  await press(page, /./, page.locator('main form').filter({ has: page.getByRole('checkbox', { name }) }).locator('.buttons'));
  await sees(page, name);
  await press(page, /^(?!Cancel)/, (await front(page)).locator('form[data-confirm] .buttons'));
};

const synchronize = async (page) => {
  await go(page, /^Infrastructure/, /Synchroni[sz]ation/);
  await press(page, /^Synchroni[sz]e/i);
};

await run('story', async (browser) => {
  const context = await visitor(browser);
  const page = await signIn(context);
  const heard = watch(page);

  // a person of one's own, by password
  await sees(page, /First day/);
  const first = await user(page);
  await signOut(page);
  heard.expected = [401];
  await signInWith(page, 'not this one, surely');
  await sees(page, /No user has this name and password/);
  heard.expected = [];
  await signInWith(page, first);
  await replace(page, first);
  await open(page, '/');
  must(await page.locator('header.top').getByText(NAME).count() > 0, '/', `the account does not say ${NAME}`);

  // a catalogue: the source, what there is, the choice, what is chosen
  await press(page, /Choose a source/);
  if (!(await asks(page, /^Source/))) await press(page, /source/i);
  await fill(page, /^Source/, { value: 'url' });
  await fill(page, /(Address|URL)/, source);
  await press(page, /^Save/, page.locator('main form').filter({ has: page.getByLabel(/(Address|URL)/) }));
  await open(page, '/');
  await press(page, /Synchroni[sz]e now/);
  await comesButton(page, /^Choose$/);
  await press(page, /^Choose$/);
  await choose(page, product);
  await open(page, '/settings/classifications');
  await choose(page, classification);
  await synchronize(page);
  await go(page, /^Updates/);
  await comes(page, update);

  // a computer: the page that is open turns by itself
  const watching = await context.newPage();
  const listening = watch(watching);
  await open(watching, '/');
  await ask('scan');
  await sees(watching, /0 of 1 computer/);
  listening.quiet = true;

  // a pilot collection, and the computer in it
  await open(page, '/');
  await comesButton(page, /Make a collection/);
  await press(page, /Make a collection/);
  await fill(page, /^Name/, 'Pilot');
  await press(page, /^Save/);
  await sees(page, /Pilot/);
  await go(page, /^Computers/);
  await pick(page, computer);
  await press(page, /Add to collection/);
  await fill(page, /Into the collection/, 'Pilot');
  await press(page, /^(Continue|Go on|Add)/);
  if (await page.locator('form[data-confirm]').count()) await confirm(page, /1 computer will be put into Pilot/, /Add to collection/);
  await open(page, '/computers/collections/Pilot');
  await sees(page, computer);

  // the deployment: preview beside the form, confirmation, and how it stands
  await open(page, '/updates?view=needed');
  await press(page, update);
  await press(page, /^Deploy$/);
  // the licence, or several at once, would come between; this update has none
  await fill(page, /^Collection/, /^\s*Pilot/);
  await sees(page, /1 computer/, page.locator('#preview'));
  await press(page, /^Go on/);
  await confirm(page, /will be required on 1 computer of Pilot/, /^Deploy$/);
  await comes(page, /Active/);
  const deployment = where(page);

  // it is told, installs, reports
  await ask('install');
  await sees(watching, /1 of 1 computer/);
  await open(page, '/computers');
  await press(page, computer);
  await sees(page, /Nothing is missing/);
  await open(page, deployment);
  await comes(page, /100(\.0)?.%/);
  must(await offers(page, /^Change$/), deployment, 'it cannot be changed');
  await signOut(page);
  await open(page, '/computers');
  must(new URL(page.url()).pathname === '/sign-in', '/computers', `who signed out sees ${where(page)}`);
  await signInWith(page, PASSWORD);
  must(new URL(page.url()).pathname === '/computers', where(page), 'the sign-in leads back to the page that was asked for');
  await sees(page, computer);
  return `${NAME} went from the first link to a compliant computer`;
});
