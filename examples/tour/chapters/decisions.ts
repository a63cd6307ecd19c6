import type { Chapter } from '../step.ts';

const RUN = 'openshell run --policy policy.yaml';

/** Name, port and program decide. */
export const decisions: Chapter = {
  title: 'With a policy: who may reach what',
  steps: [
    {
      title: 'curl may reach origin.test',
      command: `${RUN} -- curl -sS https://origin.test/`,
      needs: ['curl'],
      verdict: 'allowed by name, through the proxy',
      holds: ({ code, output }) => code === 0 && output === 'Hello from origin.test.\n',
    },
    {
      title: 'Another host: refused, and the answer says by what',
      command: `${RUN} -- curl -sS -w '\\nHTTP status %{http_code}\\n' http://elsewhere.test/`,
      needs: ['curl'],
      verdict: '403 with a JSON body',
      holds: ({ output }) => output.includes('"error":"policy_denied"') && output.includes('HTTP status 403'),
    },
    {
      title: 'Another port of the same host: refused',
      command: `${RUN} -- curl -sS https://origin.test:8443/`,
      needs: ['curl'],
      verdict: 'a host is allowed with its port',
      holds: ({ code, output }) =>
        code !== 0 && output.includes('response 403') && output.includes('origin.test:8443'),
    },
    {
      title: 'Another program, same host and port: refused',
      command: `${RUN} -- python3 -c 'import sys, urllib.request as u; sys.tracebacklimit = 0; u.urlopen("https://origin.test/")'`,
      needs: ['python3'],
      verdict: 'the policy names programs; Python is not among them',
      holds: ({ code, output }) => code !== 0 && output.includes('403') && /refused python3/.test(output),
    },
    {
      title: 'git clones over HTTPS, and what it writes is here afterwards',
      command: `${RUN} -- git clone --quiet https://origin.test/apples.git && cat apples/README`,
      needs: ['git'],
      verdict: 'cloned into the directory of the one who ran it',
      holds: ({ code, output }) => code === 0 && output.includes('Cloned through the sandbox.'),
    },
    {
      title: 'The same question without running anything',
      command: 'openshell policy explain --host origin.test --port 443 --binary /usr/bin/wget policy.yaml',
      needs: [],
      verdict: 'denied, with the rule that came closest',
      holds: ({ code }) => code === 1,
    },
  ],
};
