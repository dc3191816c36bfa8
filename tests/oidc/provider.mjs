// A provider of OpenID Connect for the test of signing in: the certified library oidc-provider, with people that the test
// chooses among. It runs in the folder into which the test's preparation installed the library.
//
//   node provider.mjs CERTIFICATE KEY REDIRECT_URI
//
// It prints its issuer in one line once it listens. GET /as/NAME makes NAME the one who signs in next.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [certificate, key, redirect] = process.argv.slice(2);
const require = createRequire(`${process.cwd()}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const people = {
  alice: { preferred_username: 'alice', name: 'Alice A.', groups: ['staff', 'patch-team'] },
  // another person of the same name
  imposter: { preferred_username: 'alice', name: 'Alice B.', groups: ['patch-team'] },
  stranger: { preferred_username: 'stranger', groups: ['visitors'] },
  nobody: { preferred_username: 'nobody' },
};
let next = 'alice';

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `https://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'weir',
      client_secret: 'a secret between two',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  cookies: { keys: ['of this process only'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  // whoever signs in has agreed to what is asked for
  async loadExistingGrant(context) {
    const { client, session, provider: own } = context.oidc;
    const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile groups');
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
server.on('request', async (request, response) => {
  const { pathname } = new URL(request.url, issuer);
  try {
    if (pathname.startsWith('/as/')) {
      next = pathname.slice('/as/'.length);
      response.end(next);
    } else if (pathname.startsWith('/interaction/')) {
      await provider.interactionFinished(request, response, { login: { accountId: next } });
    } else {
      answer(request, response);
    }
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});
console.log(issuer);
