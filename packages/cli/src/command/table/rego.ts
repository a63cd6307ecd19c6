import type { CommandSpec, OptionSpec } from '../command.ts';

const data = {
  name: 'data',
  short: 'd',
  value: { placeholder: 'PATH', kind: 'file' },
  repeat: true,
  summary: 'rules and data',
  details:
    'A Rego file, a JSON or YAML file of data, an OPA bundle (.tar.gz), or a directory of rules and data (data of its directories stands below their names). Can be repeated.',
} as const satisfies OptionSpec;

const v0 = {
  name: 'v0-compatible',
  summary: 'Rego as before OPA 1.0',
  details: 'Reads rules as they were written before OPA 1.0, without if and contains.',
} as const satisfies OptionSpec;

const json = {
  name: 'json',
  summary: 'print JSON',
  details: 'Prints one JSON document instead of text.',
} as const satisfies OptionSpec;

const paths = {
  kind: 'words',
  value: { placeholder: 'PATH', kind: 'file' },
  minimum: 1,
  maximum: Number.POSITIVE_INFINITY,
} as const;

export const regoEval = {
  name: 'rego eval',
  summary: 'Ask rules a question',
  description: [
    'Evaluates QUERY, an expression such as data.openshell.sandbox.egress_authorization or statements with variables, with the rules, data and input that are given. What print() writes goes to standard error.',
  ],
  operands: { kind: 'words', value: { placeholder: 'QUERY', kind: 'text' }, minimum: 1, maximum: 1 },
  options: [
    data,
    {
      name: 'input',
      short: 'i',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'the input document',
      details:
        'The JSON or YAML file that is input; - is standard input (JSON or YAML). Default: there is no input.',
    },
    {
      name: 'format',
      short: 'f',
      value: { placeholder: 'FORMAT', kind: ['json', 'pretty', 'values'] },
      summary: 'how the answer is printed',
      details:
        'json: all results, with bindings, as OPA prints them. pretty: the value, or a table of the bindings. values: for each result a list of its values. Default: json.',
    },
    v0,
  ],
  examples: [
    { line: "openshell rego eval '1 + 1 == 2'", explains: 'an expression' },
    {
      line: 'openshell rego eval -d rules.rego -d data.json -i input.json -f pretty data.openshell.sandbox.egress_authorization',
      explains: 'what rules answer',
    },
  ],
  exitCodes: [
    { code: '0', meaning: 'evaluated; the answer may be undefined' },
    { code: '1', meaning: 'the rules or the query are not valid, or fail when they are evaluated' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read' },
  ],
  failure: 2,
  json: `{
  "result": [                   // absent when the answer is undefined
    {
      "expressions": [{ "value": true, "text": "x > 1" }],
      "bindings": { "x": 2 }    // where the query has variables
    }
  ]
}`,
} as const satisfies CommandSpec;

export const regoCheck = {
  name: 'rego check',
  summary: 'Find what is wrong in rules',
  description: [
    'Parses and compiles the rules at each PATH (files, directories, bundles) together, and prints every error as file:line:column with the line itself.',
  ],
  operands: paths,
  options: [
    {
      name: 'strict',
      short: 'S',
      summary: 'refuse also what is probably a mistake',
      details: 'Refuses unused imports and variables and what else the strict mode of OPA refuses.',
    },
    v0,
    json,
  ],
  examples: [{ line: 'openshell rego check --strict rules/', explains: 'a directory of rules' }],
  exitCodes: [
    { code: '0', meaning: 'all rules are valid' },
    { code: '1', meaning: 'at least one error' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read' },
  ],
  failure: 2,
  json: `{
  "errors": [
    {
      "code": "rego_parse_error",  // stable, OPA's
      "message": "…",
      "file": "rules.rego",        // absent where there is no place
      "line": 3,                   // from 1
      "column": 7                  // from 1
    }
  ]
}`,
} as const satisfies CommandSpec;

export const regoTest = {
  name: 'rego test',
  summary: 'Run the tests of rules',
  description: [
    'Runs the rules whose names begin with test_ at each PATH (files, directories, bundles), and prints those that fail. A test passes when it is defined and not false; todo_test_ is skipped.',
  ],
  operands: paths,
  options: [
    {
      name: 'verbose',
      short: 'v',
      summary: 'print all tests',
      details: 'Prints every test, and what it printed.',
    },
    {
      name: 'run',
      short: 'r',
      value: { placeholder: 'REGEX', kind: 'text' },
      summary: 'only some tests',
      details:
        'Runs only tests whose full names (data.package.test_name) match this regular expression (JavaScript).',
    },
    {
      name: 'coverage',
      short: 'c',
      summary: 'which lines the tests reach',
      details:
        'Prints for each file the share of its lines with rules and statements that tests reached, and the others.',
    },
    v0,
    json,
  ],
  examples: [
    { line: 'openshell rego test -v rules/', explains: 'all of a directory' },
    {
      line: "openshell rego test --run 'policy_test.*deny' --coverage rules/",
      explains: 'some, and what they reach',
    },
  ],
  exitCodes: [
    { code: '0', meaning: 'every test passed or was skipped' },
    { code: '1', meaning: 'at least one test failed, or the rules are not valid' },
    { code: '2', meaning: 'a mistake in the command line, a file that cannot be read, or no test to run' },
  ],
  failure: 2,
  json: `{
  "tests": [
    {
      "name": "data.rules_test.test_x",
      "outcome": "pass",        // "pass", "fail", "error" or "skip"
      "file": "rules_test.rego",
      "line": 3,
      "error": "…",             // of "error" only
      "output": []              // what it printed
    }
  ],
  "coverage": {                 // with --coverage
    "percent": 97.5,
    "files": { "rules.rego": { "percent": 97.5, "covered": [3, 4], "notCovered": [7] } }
  }
}`,
} as const satisfies CommandSpec;

export const regoFmt = {
  name: 'rego fmt',
  summary: 'Write rules in the one form that all have',
  description: [
    'Prints each file at PATH (files and directories; - is standard input) formatted. The options do something else with the outcome instead.',
  ],
  operands: paths,
  options: [
    {
      name: 'write',
      short: 'w',
      summary: 'change the files',
      details: 'Writes the files that were formatted differently.',
    },
    {
      name: 'check',
      summary: 'only name the files that would change',
      details:
        'Prints the names of files that are formatted differently, and exits with 1 when there are any.',
    },
    { name: 'diff', summary: 'show what would change', details: 'Prints what would change, line by line.' },
    v0,
  ],
  examples: [
    { line: 'openshell rego fmt --write rules/', explains: 'a directory' },
    { line: 'openshell rego fmt --check --diff .', explains: 'in a build' },
  ],
  exitCodes: [
    { code: '0', meaning: 'done; with --check: nothing would change' },
    { code: '1', meaning: 'a file is not valid Rego; with --check: a file would change' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read or written' },
  ],
  failure: 2,
} as const satisfies CommandSpec;

export const regoData = {
  name: 'rego data',
  summary: 'Print a policy as rules see it',
  description: [
    'Prints the data that openshell run gives to rules for the policy in FILE (- is standard input), as JSON: to look at, for the tests of rules, or for an OPA server.',
  ],
  operands: { kind: 'words', value: { placeholder: 'FILE', kind: 'file' }, minimum: 1, maximum: 1 },
  options: [],
  examples: [
    { line: 'openshell rego data policy.yaml > data.json', explains: 'for openshell rego eval, or for OPA' },
  ],
  exitCodes: [
    { code: '0', meaning: 'printed' },
    { code: '2', meaning: 'a mistake in the command line, or a policy that cannot be read or is not valid' },
  ],
  failure: 2,
} as const satisfies CommandSpec;
