// What a person does with a page: reads words, fills in fields by their labels, presses what is named, confirms.

import { PATIENCE, drawn, runsScripts, said, where } from './browser.mjs';

/** The part that one works in: the dialog that is open, else what is between the rail and the end. */
export const front = async (page) => {
  const dialog = page.locator('dialog[open]');
  return (await dialog.count()) ? dialog.last() : page.locator('main');
};

const lost = async (page, what, error) => new Error(`${where(page)}: ${what}\n${error?.message ?? ''}\n--- the page says\n${await said(page)}`);

/** Waits until words can be read. */
export const sees = async (page, words, scope) => {
  try {
    await (scope ?? page.locator('body')).getByText(words).filter({ visible: true }).first().waitFor({ timeout: PATIENCE });
  } catch (error) {
    throw await lost(page, `nothing says ${words}`, error);
  }
};

/** Reloads a page until something holds: for what comes by itself. */
const until = async (page, what, holds) => {
  const deadline = Date.now() + 2 * PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw await lost(page, `${what} does not come`);
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    await page.reload({ waitUntil: 'load' });
  }
};
/** Until words can be read in its main part. */
export const comes = (page, words) => until(page, words, async () => {
  const text = await page.locator('main').innerText();
  return words instanceof RegExp ? words.test(text) : text.includes(words);
});
/** Until there is a button or link of this name. */
export const comesButton = (page, name) => until(page, name, () => offers(page, name));

/** Buttons and links of a name, what can be seen first. */
const named = (scope, name) => scope.getByRole('button', { name }).or(scope.getByRole('link', { name })).filter({ visible: true });

/** Whether there is a button or link of this name. */
export const offers = async (page, name) => (await named(await front(page), name).count()) > 0;

/** Presses a button or follows a link, and waits until what comes of it is drawn: another page, or a dialog. */
export const press = async (page, name, scope) => {
  const target = named(scope ?? await front(page), name).first();
  try {
    await target.waitFor({ timeout: PATIENCE });
  } catch (error) {
    throw await lost(page, `nothing to press is called ${name}`, error);
  }
  const before = await page.locator('dialog[open]').count();
  const comes = [page.waitForEvent('framenavigated', { timeout: PATIENCE, predicate: (frame) => frame === page.mainFrame() })];
  if (runsScripts(page)) {
    comes.push(page.waitForFunction((count) => document.querySelectorAll('dialog[open]').length !== count, before, { timeout: PATIENCE }));
  }
  // the one that does not come is nobody's fault
  for (const each of comes) each.catch(() => {});
  await target.click();
  try {
    await Promise.any(comes);
  } catch (error) {
    throw await lost(page, `${name} does nothing`, error);
  }
  await page.waitForLoadState('load');
  await drawn(page);
};

/** Types into a field and sends its form with the Enter key. */
export const send = async (page, field, text) => {
  await field.fill(text);
  await Promise.all([page.waitForEvent('framenavigated', { timeout: PATIENCE }), field.press('Enter')]);
  await page.waitForLoadState('load');
  await drawn(page);
};

/** Fills in a field by its label; of a choice the option whose name has these words (or `{ value }`), of a switch on or off. */
export const fill = async (page, label, value, scope) => {
  const field = (scope ?? await front(page)).getByLabel(label).filter({ visible: true }).first();
  try {
    await field.waitFor({ timeout: PATIENCE });
  } catch (error) {
    throw await lost(page, `no field is called ${label}`, error);
  }
  const kind = await field.evaluate((element) => (element.localName === 'select' ? 'select' : element.type));
  if (kind === 'select') {
    const options = await field.locator('option').allTextContents();
    if (value.value) { await field.selectOption(value.value); return; }
    const index = options.findIndex((option) => (value instanceof RegExp ? value.test(option) : option.trim() === value));
    if (index < 0) throw await lost(page, `${label} has no ${value}: ${options.join(' | ')}`);
    await field.selectOption({ index });
  } else if (kind === 'checkbox' || kind === 'radio') {
    await field.setChecked(value);
  } else {
    await field.fill(value);
  }
};

/** Whether there is a field of this label. */
export const asks = async (page, label) => (await (await front(page)).getByLabel(label).filter({ visible: true }).count()) > 0;

/** Confirms: a sentence says what will happen, and the one button that does it is pressed. */
export const confirm = async (page, words, name) => {
  const scope = await front(page);
  await sees(page, words, scope);
  await press(page, name, scope.locator('form').filter({ has: page.locator('.sentence, [data-confirm], p') }).last());
};

/** Selects the row that has these words. */
export const pick = async (page, words) => {
  const row = page.locator('main').getByRole('row').filter({ hasText: words }).first();
  await row.getByRole('checkbox').first().check();
};
