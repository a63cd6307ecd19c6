import type { Chapter } from '../step.ts';

/** What holds without any policy. */
export const bare: Chapter = {
  title: 'Without a policy',
  steps: [
    {
      title: 'The system can be read, this directory can be written, nothing else',
      command: `openshell run -- sh -c 'head -n 1 /etc/os-release; echo hello > note && cat note; touch /usr/x'`,
      needs: [],
      verdict: 'reading works, /usr stays as it is',
      holds: ({ code, output }) => code === 1 && output.includes('hello') && /touch.*\/usr\/x/.test(output),
    },
    {
      title: 'The home directory is not there, so no secret is in it',
      command: 'openshell run -- cat ../home/token',
      needs: [],
      verdict: 'the file exists outside, and not inside',
      holds: ({ code, output }) =>
        code === 1 && output.includes('No such file') && !output.includes('a secret'),
    },
    {
      title: 'There is no network, and a program learns that at once',
      command: 'openshell run -- curl -sS --max-time 5 https://origin.test/',
      needs: ['curl'],
      verdict: 'refused by name, with the line that would allow it',
      holds: ({ code, output }) =>
        code !== 0 && /refused curl .*origin\.test:443/.test(output) && !output.includes('Hello'),
    },
  ],
};
