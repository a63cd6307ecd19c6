import { resolve } from 'node:path';
import type { OperatorWord } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import type { Configuration } from '../config/configuration.ts';
import { checkCertificates, checkReadable } from './files.ts';
import { orderResolveRules, parseResolveRule } from './resolve-rule.ts';

type Word = Pick<OperatorWord, 'clientCertificates' | 'middlewares' | 'upstreamProxy'>;

const PROXY_OPTIONS = {
  url: 'upstream-proxy',
  authFile: 'upstream-proxy-auth',
  noProxy: 'upstream-no-proxy',
} as const;

/** Options whose texts the proxy's own readers understand; these are loaded only for them. */
const READ = ['client-certificate', 'middleware', ...Object.values(PROXY_OPTIONS)];

/**
 * What the operator of this machine says, on the command line and in the configuration file. The command line comes first: of two
 * that fit, the first counts.
 *
 * @throws OpenShellError with code `usage`, naming the option.
 */
export const operatorWord = async (args: Arguments, configuration: Configuration): Promise<OperatorWord> => {
  const rules = args.values('resolve').map((text) => parseResolveRule(text, '--resolve'));
  const authorities = args.values('upstream-ca');
  for (const file of authorities) checkCertificates(file, '--upstream-ca');
  const { clientCertificates, middlewares, upstreamProxy } = await readWord(args);
  const proxy = upstreamProxy ?? configuration.upstreamProxy;
  return {
    resolve: orderResolveRules(rules, configuration.resolve),
    upstreamCa: [...authorities.map((file) => resolve(file)), ...configuration.upstreamCa],
    clientCertificates: [...clientCertificates, ...configuration.clientCertificates],
    ...(proxy === undefined ? {} : { upstreamProxy: proxy }),
    middlewares: [
      ...middlewares,
      ...configuration.middlewares.filter(({ name }) => !middlewares.some((own) => own.name === name)),
    ],
  };
};

const readWord = async (args: Arguments): Promise<Word> => {
  if (!READ.some((option) => args.has(option))) return { clientCertificates: [], middlewares: [] };
  const { loadOperatorReaders } = await import('@openshell/sandbox');
  const { parseClientCertificate, parseMiddlewares, parseUpstreamProxy } = await loadOperatorReaders();
  const written = (option: string) => ({ source: `--${option}`, directory: '.' });
  const { url, authFile, noProxy } = PROXY_OPTIONS;
  const proxy = parseUpstreamProxy(
    { url: args.value(url), authFile: args.value(authFile), noProxy: args.value(noProxy) },
    (text) => written(PROXY_OPTIONS[text]),
  );
  const clientCertificates = args
    .values('client-certificate')
    .map((text) => parseClientCertificate(text, written('client-certificate')));
  for (const { certificate, key } of clientCertificates) {
    checkCertificates(certificate, '--client-certificate');
    checkReadable(key, '--client-certificate');
  }
  if (proxy?.authFile !== undefined) checkReadable(proxy.authFile, `--${authFile}`);
  return {
    clientCertificates,
    middlewares: parseMiddlewares(args.values('middleware'), () => '--middleware'),
    ...(proxy === undefined ? {} : { upstreamProxy: proxy }),
  };
};
