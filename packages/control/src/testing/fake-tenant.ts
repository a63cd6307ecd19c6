import { generation, sandboxId } from '@openshell/base';
import {
  type BinaryIdentity,
  explain,
  type Policy,
  parsePolicy,
  policyHash,
  readDocument,
  schema,
} from '@openshell/policy';
import type { ExplainAnswer, ExplainQuery } from '../contract/explain.ts';
import type {
  Applied,
  ApplyOrder,
  GenerationParts,
  InstalledGeneration,
  Part,
  PartHashes,
  TextPart,
} from '../contract/generation.ts';
import { generationHash, textHash } from '../contract/generation-hash.ts';
import { type ControlProblem, ControlRefusal } from '../contract/refusal.ts';
import type { TenantReport, TenantSpec } from '../contract/tenant.ts';
import { tenantHash } from '../contract/tenant-hash.ts';

/** Credentials and routes: their top level, in which what matters to a controller is that mistakes have a place. */
const FILES = {
  credentials: schema.object('credentials', '', { credentials: { type: schema.data, doc: '' } }),
  routes: schema.object('routes', '', { routes: { type: schema.data, doc: '' } }),
};

interface Installed {
  readonly report: InstalledGeneration;
  readonly policy: Policy;
  readonly texts: Readonly<Partial<Record<PartName, TextPart>>>;
}

type PartName = 'policy' | 'credentials' | 'routes';

/** One tenant of the fake proxy. */
export class FakeTenant {
  readonly spec: TenantSpec;
  readonly #listening: TenantReport['listening'];
  #installed: Installed | undefined;
  denied = 0;
  events = 0;

  constructor(spec: TenantSpec, nextPort: () => number) {
    this.spec = spec;
    this.#listening = spec.recognitions.flatMap((recognition) =>
      recognition.kind === 'listener'
        ? [{ host: recognition.host, port: recognition.port || nextPort() }]
        : [],
    );
  }

  get installed(): InstalledGeneration | undefined {
    return this.#installed?.report;
  }

  report(): TenantReport {
    return {
      id: this.spec.id,
      specHash: tenantHash(this.spec),
      installed: this.installed,
      listening: this.#listening,
      connections: 0,
      handshakes: 0,
      heldBytes: 0,
      counters: {
        accepted: this.denied,
        shed: 0,
        connectionsAllowed: 0,
        connectionsDenied: this.denied,
        requestsAllowed: 0,
        requestsDenied: 0,
        upstreamFailures: 0,
        bytesIn: 0,
        bytesOut: 0,
        events: this.events,
        eventsLost: 0,
      },
    };
  }

  apply({ parts, expected, mode }: ApplyOrder): Applied {
    const before = this.#installed;
    if (expected !== undefined && expected !== (before?.report.hash ?? ''))
      throw new ControlRefusal('something else is installed than was expected', {
        code: 'generation_changed',
      });
    const texts = this.#texts(parts);
    const { policy, problems } = read(texts);
    if (!policy || problems.length > 0)
      throw new ControlRefusal(`the generation has ${problems.length} mistakes`, {
        code: 'generation_refused',
        problems,
      });
    const hashes = hashesOf(texts, this.#revision(parts));
    const hash = generationHash(hashes);
    const unchanged = hash === before?.report.hash;
    const report = unchanged
      ? before.report
      : {
          tenant: this.spec.id,
          generation: generation((before?.report.generation ?? 0) + 1),
          hash,
          parts: hashes,
          policyHash: policyHash(policy),
          installedAt: Date.now(),
        };
    if (mode === 'install') this.#installed = { report, policy, texts };
    return { mode, installed: report, unchanged, environment: {}, notices: [] };
  }

  explain({ host, port, binaries }: ExplainQuery): ExplainAnswer {
    if (!this.#installed)
      return {
        allowed: false,
        generation: 0,
        reason: 'nothing is installed yet',
        code: 'no_policy',
        inspected: false,
      };
    const [executable, ...ancestors] = binaries.map(identityOf);
    const { decision } = explain(
      this.#installed.policy,
      {
        sandbox: sandboxId(this.spec.id),
        adapter: 'connect',
        host,
        port,
        evidence: executable
          ? { kind: 'process', pid: 0, executable, ancestors, argv: [] }
          : { kind: 'unknown', reason: 'nobody said' },
      },
      { identity: this.spec.identity },
    );
    const { generation: number } = this.#installed.report;
    return decision.action === 'deny'
      ? { allowed: false, generation: number, reason: decision.reason, code: decision.code, inspected: false }
      : {
          allowed: true,
          generation: number,
          reason: decision.reason,
          policy: decision.policy,
          inspected: decision.inspection !== undefined,
        };
  }

  #texts(parts: GenerationParts): Installed['texts'] {
    const text = (name: PartName, part: Part | undefined) =>
      part && { [name]: part.kind === 'text' ? part : this.#kept(name, part.hash) };
    return {
      ...text('policy', parts.policy),
      ...text('credentials', parts.credentials),
      ...text('routes', parts.routes),
    };
  }

  #kept(name: PartName, hash: string): TextPart {
    const part = this.#installed?.texts[name];
    if (part && textHash(part.text) === hash) return part;
    throw new ControlRefusal(`these ${name} are not installed`, { code: 'part_unknown' });
  }

  #revision({ secrets }: GenerationParts): string | undefined {
    if (secrets?.kind === 'keep' && secrets.revision !== this.#installed?.report.parts.secretsRevision)
      throw new ControlRefusal('these secrets are not installed', { code: 'part_unknown' });
    return secrets?.revision;
  }
}

const read = (texts: Installed['texts']): { policy: Policy | undefined; problems: ControlProblem[] } => {
  const problems: ControlProblem[] = [];
  const { policy: policyText, ...others } = texts;
  const result = parsePolicy(policyText?.text ?? '');
  if (!result.ok)
    problems.push(...result.problems.map((problem) => problemOf('policy', policyText?.name, problem)));
  for (const part of ['credentials', 'routes'] as const) {
    const text = others[part];
    if (!text) continue;
    const found = readDocument(text.text, FILES[part], { start: `${part}:` }).problems();
    problems.push(...found.map((problem) => problemOf(part, text.name, problem)));
  }
  return { policy: result.ok ? result.policy : undefined, problems };
};

type Found = Pick<ControlProblem, 'line' | 'column' | 'path' | 'message'>;

const problemOf = (
  part: ControlProblem['part'],
  name: string | undefined,
  { line, column, path, message }: Found,
): ControlProblem => ({ part, name, line, column, path, message });

const hashesOf = (texts: Installed['texts'], secretsRevision: string | undefined): PartHashes => ({
  policy: textHash(texts.policy?.text ?? ''),
  ...(texts.credentials && { credentials: textHash(texts.credentials.text) }),
  ...(texts.routes && { routes: textHash(texts.routes.text) }),
  ...(secretsRevision !== undefined && { secretsRevision }),
});

const identityOf = (path: string): BinaryIdentity => ({ path, sha256: '', pinned: true });
