// Every question that only a form leads to: what is asked before many things, or something that affects computers, are changed.
//
// A question is reached as people reach it: a page is opened, rows are selected, fields are filled in, the form is sent. Nothing is
// confirmed, so that nothing changes. Questions that a link leads to are screens of the walk.
//
//   WEIR_SCREENS  screens.json of a walk on the same server; WEIR_OUT/screens.json
//   WEIR_HOSTILE  as for the module `escape`

import { readFileSync } from 'node:fs';

import { COLOURS, axe, escaped, fits, whole } from './audit.mjs';
import { NARROW, PATIENCE, WIDE, drawn, find, must, open, out, run, said, signIn, visitor, watch } from './browser.mjs';

const { computer, update } = JSON.parse(process.env.WEIR_HOSTILE);
const screens = JSON.parse(readFileSync(process.env.WEIR_SCREENS ?? `${out}/screens.json`, 'utf8'));
/** The addresses that a walk found of a screen. */
const of = (key) => screens.find((screen) => screen.key === key)?.addresses ?? [];
const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** A vulnerability that the walk found, and a day that an exception may last to. */
const cve = decodeURIComponent(of('/updates/exposure/{cve}')[0]?.split('/').at(-1) ?? '');
const later = new Date(Date.now() + 100 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
const xylophone = `/updates?view=all&text=${update.word}`;
const act = (value) => `button[name=act][value=${value}]`;
const posts = (end) => `form[method=post][action$="${end}"] button[type=submit]:not([formnovalidate], .plain)`;

/**
 * What is asked, where, and how one gets there.
 *
 *   at      addresses: the first that has the button is taken
 *   rows    how many rows are selected, or words of the one that is
 *   button  what sends the form
 *   fill    fields of that form by their names, or selectors of others; of a choice the value, or words of the option
 *   tick    boxes that are turned over
 *   then    what is filled in on a page that asks for more first
 *   says    a text of ours that the question must have as it is
 */
const QUESTIONS = {
  'decline updates': { at: [xylophone], rows: '<script', button: act('decline'), says: update.title },
  'take back that updates are declined': { at: ['/updates?view=declined'], rows: 1, button: act('undecline') },
  'set the severity of an update': { at: [xylophone], rows: '<script', button: act('severity') },
  'set the run time of updates': { at: ['/updates?view=all'], rows: 2, button: act('run_time') },
  'put updates into a group': { at: [xylophone], rows: '<script', button: act('group') },
  'deploy several updates': { at: [xylophone], rows: 3, button: act('deploy') },
  'delete a saved search': { at: ['/updates/searches'], button: posts('/delete') },
  'clean up': { at: ['/updates/cleanup'], button: posts('/updates/cleanup/run') },
  'take updates out of a group': { at: of('/updates/groups/{name}'), rows: 1, button: act('remove') },
  'delete a group': { at: of('/updates/groups/{name}'), button: posts('/delete') },
  'add to a group by a filter': {
    at: of('/updates/groups/{name}/add'), button: posts('/add'), fill: { filter: `title ~ "${update.word}"` }, says: update.title,
  },
  'make an exception': {
    at: ['/updates/exposure/exceptions/new'],
    button: posts('/exceptions/new'),
    fill: { cve, collection: 'Ring 1', owner: update.title, reason: update.title, expires: later },
    says: update.title,
  },
  'withdraw an exception': { at: ['/updates/exposure/exceptions'], button: posts('/withdraw') },
  'delete a document of exposure': { at: ['/updates/exposure/documents'], button: posts('/delete') },

  'choose a collection for computers': { at: ['/computers?sort=name:asc'], rows: '<script', button: act('add'), says: computer.name },
  'add computers to a collection': {
    at: ['/computers?sort=name:asc'], rows: '<script', button: act('add'), then: { collection: 'Pilot' }, says: computer.name,
  },
  'move computers': { at: ['/computers?sort=name:asc'], rows: 2, button: act('move'), then: { source: 'Ring 1', collection: 'Pilot' } },
  'delete a computer': { at: ['/computers?sort=name:asc'], rows: '<script', button: act('delete'), says: computer.name },
  'retire duplicates by rule': { at: ['/computers/duplicates?tab=duplicates'], button: act('rule'), fill: { value: 'retire-older' } },
  'retire silent computers by rule': { at: ['/computers/stale?tab=retirement'], button: act('rule'), fill: { days: '90' } },

  'deploy an update': {
    at: [`/deployments/new?update=${update.id}`], button: posts('/deployments/new'), fill: { collection: 'Pilot' }, says: update.title,
  },
  'change a deployment': { at: of('/deployments/{id}/edit'), button: posts('/edit'), fill: { description: update.title }, says: update.title },
  'disable deployments': { at: ['/deployments'], rows: 1, button: act('disable') },
  'delete deployments': { at: ['/deployments'], rows: 1, button: act('delete') },
  'begin a phased deployment': {
    at: ['/deployments/phased/new'],
    button: posts('/phased/new'),
    fill: { name: update.title.slice(0, 60), group: 'Needed', 'p1-collection': 'Pilot', 'p2-collection': 'Ring 1', 'p3-collection': 'Servers' },
  },
  'change a phased deployment': { at: of('/deployments/phased/{name}/edit'), button: posts('/edit') },
  'make a rule and run it': {
    at: ['/deployments/rules/new'], button: posts('/rules/new'), fill: { name: 'Asked', 'd1-collection': 'Pilot' }, tick: ['[name=run]'],
  },
  'change a rule': { at: of('/deployments/rules/{name}/edit'), button: posts('/edit'), fill: { description: update.word } },
  'take a deployment off a rule': { at: of('/deployments/rules/{name}'), button: 'form[action$="/deployments/remove"] button' },
  'make a maintenance window': {
    at: ['/deployments/windows/new'], button: posts('/windows/new'), fill: { name: 'Asked', collection: 'Pilot' },
  },
  'change a maintenance window': { at: of('/deployments/windows/{id}/edit'), button: posts('/edit'), fill: { minutes: '90' } },
  'stop an update, with a name that is wrong': {
    at: of('/deployments/stops/new?update=*'),
    button: 'form[data-confirm] button[type=submit]',
    fill: { reason: 'Looked at', typed: 'something else' },
  },

  'refuse servers below': { at: ['/infrastructure/downstream'], rows: 1, button: act('refuse') },
  'remove content': { at: ['/infrastructure/content?tab=jobs', '/infrastructure/content'], button: act('gc') },
  'files that arrived': { at: of('/infrastructure/export/{id}'), rows: 1, button: act('arrived') },

  'end a session': { at: ['/settings/sessions', '/settings/sessions?tab=everybody'], button: posts('/end') },
  'change client settings': {
    at: of('/settings/client-settings/{set}'), button: 'form[method=post]:has(.setting) .foot button', fill: { 'input[type=number]': '5' },
  },
  'deploy client settings': { at: of('/settings/client-settings/{set}?tab=collections'), button: posts('/deploy'), fill: { collection: 'Pilot' } },
  'take client settings back': { at: of('/settings/client-settings/{set}?tab=collections'), button: posts('/take-back') },
  'require TLS of computers': { at: ['/settings/tls/clients'], button: posts('/tls/clients'), fill: { mode: 'required' } },
  'choose languages': { at: ['/settings/languages'], button: posts('/languages'), tick: ['input[name=texts]:not(:checked)'] },
  'choose classifications': { at: ['/settings/classifications'], button: posts('/classifications'), tick: ['input[name=id]'] },
  'run reports': { at: ['/reports/schedules'], rows: 1, button: act('run') },
  'delete schedules of reports': { at: ['/reports/schedules'], rows: 1, button: act('delete') },
};

/** Fills a form in and sends it as its button would, so that the answer is a page of its own and no dialog. */
const send = async (page, { button, fill = {}, tick = [] }) => {
  const isPost = (response) => response.request().isNavigationRequest() && response.request().method() === 'POST';
  const answer = page.waitForResponse(isPost, { timeout: PATIENCE });
  const shown = page.waitForEvent('framenavigated', { timeout: PATIENCE, predicate: (frame) => frame === page.mainFrame() });
  // what fails before it is sent is told as that
  for (const each of [answer, shown]) each.catch(() => {});
  await page.evaluate(({ selector, values, boxes }) => {
    const sender = document.querySelector(selector);
    const form = sender.form;
    sender.disabled = false;
    const field = (name) => {
      const named = /^[\w-]+$/.test(name) ? form.elements.namedItem(name) : form.querySelector(name);
      if (!named) throw new Error(`the form has no ${name}: ${[...form.elements].map((each) => each.name).filter(Boolean).join(' ')}`);
      return named;
    };
    for (const [name, value] of Object.entries(values)) {
      const into = field(name);
      if (into instanceof HTMLSelectElement) {
        const options = [...into.options];
        const option = options.find((each) => each.value === value) ?? options.find((each) => each.value && each.text.includes(value));
        if (!option) throw new Error(`${name} has no ${value}: ${options.map((each) => each.text).join(' | ')}`);
        into.value = option.value;
      } else {
        into.value = value;
      }
    }
    for (const box of boxes) field(box).checked = !field(box).checked;
    const copy = document.createElement('form');
    copy.method = 'post';
    copy.action = sender.hasAttribute('formaction') ? sender.formAction : new URL(form.getAttribute('action') ?? '', location.href).href;
    for (const [name, value] of new FormData(form, sender)) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      copy.append(input);
    }
    document.body.append(copy);
    // this call has to return before the page is left
    setTimeout(() => HTMLFormElement.prototype.submit.call(copy), 0);
  }, { selector: button, values: fill, boxes: tick });
  const response = await answer;
  await shown;
  await page.waitForLoadState('load');
  await drawn(page);
  return response;
};

/** Opens the first of the addresses that has the button; false if none has. */
const begin = async (page, { at, rows, button }) => {
  for (const address of at) {
    await open(page, address);
    if (!(await page.locator(button).count())) continue;
    const boxes = typeof rows === 'string'
      ? page.locator('main tbody tr').filter({ hasText: rows }).first().locator('.pick input[name=id]')
      : page.locator('main .pick input[name=id]');
    const count = typeof rows === 'string' ? 1 : rows ?? 0;
    if (count > await boxes.count()) continue;
    for (let row = 0; row < count; row += 1) await boxes.nth(row).check();
    return true;
  }
  return false;
};

/** A question is a sentence, how to undo it or what more is wanted, and a way back. */
const look = async (page, name, says) => {
  const asked = page.locator('main form[data-confirm]');
  if (!must(await asked.count() === 1, name, 'no question comes', (await said(page)).slice(0, 600))) return;
  const sentence = plain(await asked.locator('.sentence').innerText());
  must(sentence.length > 10, name, `its sentence is ${JSON.stringify(sentence)}`);
  must(await asked.locator('a[data-close]').count() === 1, name, 'there is no way back');
  if (says) must(plain(await page.locator('main').textContent()).includes(plain(says)), name, `it does not say ${says} as it is`);
  await whole(page, name);
  await escaped(page, name);
  await fits(page, `${name} at 1280`);
  await axe(page, `${name}, light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await axe(page, `${name}, dark`, COLOURS, 'main');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW.viewport);
  await drawn(page);
  await fits(page, `${name} at 390`);
  await page.setViewportSize(WIDE.viewport);
};

await run('questions', async (browser) => {
  const context = await visitor(browser);
  const page = await signIn(context);
  watch(page);
  for (const [name, question] of Object.entries(QUESTIONS)) {
    try {
      // what was selected for the question before is not remembered
      await page.evaluate(() => sessionStorage.clear());
      if (!must(question.at.length > 0 && await begin(page, question), name, 'no page leads there', question.at.join(' '))) continue;
      const response = await send(page, question);
      must(response.status() === 200, name, `it is answered with ${response.status()}`, await said(page));
      if (question.then) await send(page, { button: 'form[data-confirm] button[type=submit]', fill: question.then });
      await look(page, name, question.says);
    } catch (error) {
      find(name, 'it could not be asked', error.message);
    }
  }
  return `${Object.keys(QUESTIONS).length} questions`;
});
