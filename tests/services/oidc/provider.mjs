// An OpenID provider for the tests: `node provider.mjs <folder with oidc-provider> <JSON>`; prints "ready" when it answers.
// Whoever types a name at its login screen is that person; the JSON says what is claimed of whom.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, given] = process.argv.slice(2);
const required = createRequire(pathToFileURL(`${home}/`).href);
const { default: Provider } = await import(pathToFileURL(required.resolve("oidc-provider")).href);
const options = JSON.parse(given);

const provider = new Provider(options.issuer, {
  clients: [
    {
      client_id: "weft",
      client_secret: "a secret of the portal's",
      redirect_uris: [options.redirect],
      post_logout_redirect_uris: [options.back],
    },
  ],
  jwks: { keys: [options.key] },
  cookies: { keys: ["only for tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  conformIdTokenClaims: options.userinfo,
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(options.people[id] ?? {}) }),
  }),
});
provider.listen(options.port, "127.0.0.1", () => console.log("ready"));
