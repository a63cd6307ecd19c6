import type { Chapter } from '../step.ts';

const RUN = 'openshell run --policy policy.yaml';
/** One line an HTTP request: what was decided, what was asked, what was answered. */
const REQUESTS = `node -e 'for (const line of require("fs").readFileSync("requests.jsonl", "utf8").trim().split("\\n")) { const { action, http_request: q, http_response: r, actor } = JSON.parse(line); if (q) console.log(action, actor.process.name, q.http_method, q.url.hostname + q.url.path, r.code) }'`;

/** What is inside of the connections to api.test is read, since the policy has rules about it. */
export const requests: Chapter = {
  title: 'Inside of a connection: each request by itself',
  steps: [
    {
      title: 'The API may be read',
      command: `${RUN} --events requests.jsonl -- curl -sS https://api.test/fruit`,
      needs: ['curl'],
      verdict: 'TLS was opened by the proxy, the request understood and passed on',
      holds: ({ code, output }) => code === 0 && output === '["apple","pear"]',
    },
    {
      title: 'The same host, but a POST: refused, in words that a program can read',
      command: `${RUN} --events requests.jsonl -- curl -sS -d plum https://api.test/fruit`,
      needs: ['curl'],
      verdict: 'what was refused, by which rule, and what to ask for',
      holds: ({ code, output }) =>
        code === 0 && output.includes('"error":"policy_denied"') && output.includes('"rule":"POST /fruit"'),
    },
    {
      title: 'What happened: one event a request',
      command: REQUESTS,
      needs: ['curl'],
      verdict: 'both requests are on record, with program, path and status',
      holds: ({ output }) =>
        output === 'Allowed curl GET api.test/fruit 200\nDenied curl POST api.test/fruit 403\n',
    },
    {
      title: 'What policy would have allowed it?',
      command: 'openshell policy suggest requests.jsonl --policy policy.yaml',
      needs: ['curl'],
      verdict: 'a rule for this method and path, and no more',
      holds: ({ output }) => output.includes('POST'),
    },
    {
      title:
        'A credential that is used and never there: the sandbox has a placeholder, the API sees the token',
      command: `${RUN} --credential API_TOKEN@api.test -- sh -c 'echo $API_TOKEN; curl -sS -H "Authorization: Bearer $API_TOKEN" https://api.test/me'`,
      needs: ['curl'],
      verdict: 'the proxy put it in, for this host only',
      holds: ({ code, output }) =>
        code === 0 && output === 'openshell:resolve:env:API_TOKEN\n{"you":"are known here"}',
    },
    {
      title: 'A model at inference.local, without any key and without a policy',
      command: `openshell run --inference-routes routes.yaml -- curl -sS https://inference.local/v1/chat/completions -d '{"model":"parrot","messages":[{"role":"user","content":"hello"}]}'`,
      needs: ['curl'],
      verdict: 'the route has the backend and the key; the sandbox has neither',
      holds: ({ code, output }) => code === 0 && output.includes('"content":"hello"'),
    },
  ],
};
