// How long each screen takes, and what the browser loads. Figures only: nothing here judges a time, since the machine decides it.
//
//   WEIR_SCREENS  screens.json of a walk on the same server; without it the seven areas
//   WEIR_LOADS    loads of each screen, of which the median is told; 3
//
// Writes WEIR_OUT/measured.json. Script and style must stay below the budget of design and console.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { note } from './audit.mjs';
import { must, open, out, run, signIn, visitor } from './browser.mjs';
import { figures } from './figures.mjs';

/** Script and style of any screen, as they come over the wire. */
const MOST_BYTES = 60_000;
const loads = Number(process.env.WEIR_LOADS ?? 3);
const list = process.env.WEIR_SCREENS ?? `${out}/screens.json`;
const AREAS = ['/', '/updates', '/deployments', '/computers', '/reports', '/infrastructure', '/settings'];

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

await run('measure', async (browser) => {
  const screens = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : AREAS.map((address) => ({ key: address, address }));
  const context = await visitor(browser);
  await note(context);
  const page = await signIn(context);

  // the first visit of a browser: nothing is in its cache
  const cold = await visitor(browser, { storageState: await context.storageState() });
  await note(cold);
  const first = await cold.newPage();
  await open(first, '/');
  const { assets, ...opening } = await figures(first);
  const bytes = assets.reduce((sum, each) => sum + each.encoded_bytes, 0);
  must(assets.length > 0 && bytes > 0, '/', 'neither script nor style was loaded');
  must(bytes < MOST_BYTES, '/', `script and style are ${bytes} bytes: ${assets.map((each) => `${each.name} ${each.encoded_bytes}`).join(', ')}`);
  await cold.close();

  const rows = [];
  for (const { key, address } of screens) {
    const each = [];
    for (let load = 0; load < loads; load += 1) {
      await open(page, address);
      each.push(await figures(page));
    }
    const of = (name) => median(each.map((one) => one[name]));
    rows.push({
      screen: key, address, first_byte_ms: of('first_byte_ms'), usable_ms: of('usable_ms'), loaded_ms: of('loaded_ms'),
      html_bytes: of('html_bytes'), requests: of('requests'), shift: Math.max(...each.map((one) => one.shift)),
    });
  }
  rows.sort((a, b) => b.usable_ms - a.usable_ms);
  const measured = { loads, script_style_bytes: bytes, assets, first_visit: opening, screens: rows };
  writeFileSync(`${out}/measured.json`, `${JSON.stringify(measured, null, 1)}\n`);
  console.log('first byte  usable   html  screen');
  for (const row of rows) {
    console.log(`${row.first_byte_ms.toFixed(1).padStart(7)} ms ${row.usable_ms.toFixed(0).padStart(5)} ms ${(row.html_bytes / 1000).toFixed(1).padStart(6)} kB  ${row.screen}`);
  }
  return `${rows.length} screens, script and style ${bytes} bytes, in ${out}/measured.json`;
});
