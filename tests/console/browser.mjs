// What every module of these tests begins with: the browser, whom it trusts, a signed-in page that tells of its errors, findings.
//
// A module runs in the folder into which the test's preparation installed the libraries, with these in the environment:
//
//   WEIR_URL   address of the admin plane            WEIR_LINK  a sign-in link that nobody has used
//   WEIR_CA    certificate that signed the server's  WEIR_OUT   folder for screenshots and figures
//   CHROMIUM   the browser, if it is not /usr/bin/chromium

import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:tls';

export const require = createRequire(`${process.cwd()}/`);
const { chromium } = require('playwright-core');

const wanted = (name) => {
  if (!process.env[name]) throw new Error(`${name} is not in the environment`);
  return process.env[name];
};
export const origin = new URL(wanted('WEIR_URL')).origin;
export const out = process.env.WEIR_OUT ?? 'out';
/** How long a page, or something on it, may take on a busy machine, in milliseconds. */
export const PATIENCE = 120_000;

/** The digest of the server's key, after its certificate has been checked against the one that signed it. */
const key = () => new Promise((resolve, reject) => {
  const { hostname: host, port } = new URL(origin);
  const socket = connect({ host, port: Number(port), ca: readFileSync(wanted('WEIR_CA')) }, () => {
    const certificate = new X509Certificate(socket.getPeerCertificate().raw);
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    socket.end();
    resolve(createHash('sha256').update(spki).digest('base64'));
  });
  socket.on('error', reject);
});

/** A browser with an empty profile that trusts this one key beyond what all trust, and calls nobody by itself. */
export const launch = async () => {
  mkdirSync(out, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    timeout: PATIENCE,
    args: [
      `--ignore-certificate-errors-spki-list=${await key()}`,
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
      '--disable-background-networking', '--disable-component-update', '--disable-default-apps', '--disable-extensions',
      '--no-proxy-server', '--force-color-profile=srgb', '--font-render-hinting=none',
    ],
  });
};

export const WIDE = { viewport: { width: 1280, height: 900 } };
export const NARROW = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** Contexts in which pages run no script. */
const scriptless = new WeakSet();
export const runsScripts = (page) => !scriptless.has(page.context());

/** A context of a visitor with a language and a zone; animations are over at once. */
export const visitor = async (browser, options = {}) => {
  const context = await browser.newContext({
    locale: 'en-GB', timezoneId: 'Europe/Amsterdam', reducedMotion: 'reduce', colorScheme: 'light', ...WIDE, ...options,
  });
  if (options.javaScriptEnabled === false) scriptless.add(context);
  return context;
};

// ---- findings

/** What is wrong, by what it is: the screens on which it is so, with details. */
const findings = new Map();
/** What could be better. */
const remarks = new Map();
const put = (all, screen, what, detail) => {
  if (!all.has(what)) all.set(what, new Map());
  all.get(what).set(screen, detail);
};
/** Something is wrong with a screen. What is wrong with many is told once. */
export const find = (screen, what, detail = '') => put(findings, screen, what, detail);
/** Something of a screen could be better; nothing fails of it. */
export const remark = (screen, what, detail = '') => put(remarks, screen, what, detail);
/** It must be so. */
export const must = (holds, screen, what, detail) => { if (!holds) find(screen, what, detail); return Boolean(holds); };

/** Screens that are told with details for one finding; the others are only named. */
const TOLD = 4;
const tell = (word, all) => {
  for (const [what, screens] of all) {
    console.log(`${word} ${what}`);
    for (const [screen, detail] of [...screens].slice(0, TOLD)) console.log(`  on ${screen}${detail && `\n    ${detail.replace(/\n/g, '\n    ')}`}`);
    if (screens.size > TOLD) console.log(`  and on ${screens.size - TOLD} more: ${[...screens.keys()].slice(TOLD).join(', ')}`);
  }
};
/** Ends the module: 1 if there were findings. */
export const finish = async (browser, done) => {
  await browser.close();
  tell('REMARK', remarks);
  tell('WRONG', findings);
  console.log(findings.size ? `${findings.size} findings; ${done}` : `well: ${done}`);
  process.exit(findings.size ? 1 : 0);
};
/** Runs a module; what it throws is a finding of the screen that was open, of which a picture is kept. */
export const run = async (name, work) => {
  const browser = await launch();
  let done = '';
  try {
    done = await work(browser);
  } catch (error) {
    const pages = browser.contexts().flatMap((context) => context.pages());
    for (const [at, page] of pages.entries()) {
      await page.screenshot({ path: `${out}/failed-${name}-${at}.png`, timeout: 5_000 }).catch(() => {});
    }
    find(pages.map(where).join(' ') || name, `it cannot go on: ${error?.message ?? error}`, error?.stack?.split('\n').filter((line) => /\.mjs/.test(line)).join('\n'));
    for (const page of pages) console.log(`--- ${where(page)} says\n${await said(page)}`);
  }
  await finish(browser, done);
};

/** The words of a page, for messages. */
export const said = async (page) => {
  const text = await page.locator('body').innerText({ timeout: 2_000 }).catch(() => '');
  return text.replace(/\n\s*\n+/g, '\n').slice(0, 1_500);
};

// ---- pages

/** Has a page tell of its errors: exceptions, messages, policy, answers and requests that failed. `expected` are statuses that
 * its own document may have. */
export const watch = (page) => {
  const heard = { expected: [], quiet: false };
  const hear = (what, detail, at = where(page)) => { if (!heard.quiet) find(at, what, detail); };
  page.on('pageerror', (error) => hear(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // the document itself, which may be a refusal on purpose
    if (heard.expected.length && /Failed to load resource/.test(message.text())) return;
    hear(`console ${message.type()}: ${message.text()}`, message.location().url);
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    // a page that is left ends its streams, and a download ends the navigation
    if (reason !== 'net::ERR_ABORTED') hear(`a request failed: ${reason}`, `${request.method()} ${request.url()}`);
  });
  page.on('response', (response) => {
    const [status, request] = [response.status(), response.request()];
    if (status < 400 || heard.expected.includes(status)) return;
    // of a page that is on its way the address is still that of the one before
    const at = request.isNavigationRequest() ? response.url().slice(origin.length) : where(page);
    hear(`a request was answered with ${status}`, `${request.method()} ${response.url()}`, at);
  });
  return heard;
};

/** What is after the host. */
export const where = (page) => page.url().startsWith(origin) ? page.url().slice(origin.length) || '/' : page.url();

/** Opens an address and waits until it is drawn. Streams stay open: silence of the network is no sign. */
export const open = async (page, address) => {
  const response = await page.goto(new URL(address, origin).href, { waitUntil: 'load', timeout: PATIENCE });
  await drawn(page);
  return response;
};

/** Two frames later everything that scripts did at the start is on the screen. */
export const drawn = async (page) => {
  if (!runsScripts(page)) return;
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
};

/** Signs in with the link. The page that it leads to is left: browsers send a strict cookie with the next request only. */
export const signIn = async (context, link = wanted('WEIR_LINK')) => {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(link, { waitUntil: 'load' });
  await open(page, '/');
  if (/sign-in/.test(page.url())) throw new Error(`the sign-in link does not sign in: ${await said(page)}`);
  return page;
};

/** Asks the test that started this module to do something, and waits until it says that it is done. */
export const ask = (what) => new Promise((resolve, reject) => {
  let text = '';
  const hear = (chunk) => {
    text += chunk;
    if (!text.includes('\n')) return;
    process.stdin.off('data', hear);
    process.stdin.pause();
    const answer = text.slice(0, text.indexOf('\n'));
    if (answer.startsWith('done')) resolve(answer.slice(5)); else reject(new Error(`${what}: ${answer}`));
  };
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', hear);
  process.stdin.resume();
  console.log(`ASK ${what}`);
});
