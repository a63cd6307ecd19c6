import type { CommandSpec } from '../command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export const completion = {
  name: 'completion',
  summary: 'Print a completion script for a shell',
  description: [
    'Prints a script that completes the commands, options and values of openshell in SHELL: bash, zsh or fish.',
  ],
  operands: { kind: 'words', value: { placeholder: 'SHELL', kind: shells }, minimum: 1, maximum: 1 },
  options: [],
  examples: [
    {
      line: 'openshell completion bash > ~/.local/share/bash-completion/completions/openshell',
      explains: 'bash',
    },
    { line: 'openshell completion zsh > ~/.zfunc/_openshell', explains: 'zsh, where ~/.zfunc is on fpath' },
    { line: 'openshell completion fish > ~/.config/fish/completions/openshell.fish', explains: 'fish' },
  ],
  exitCodes: [
    { code: '0', meaning: 'printed' },
    { code: '2', meaning: 'a mistake in the command line' },
  ],
  failure: 2,
} as const satisfies CommandSpec;
