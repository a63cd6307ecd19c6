import { isAscii } from 'node:buffer';
import type { Generation } from '@openshell/base';
import type { RequestDecision, SqlStatement } from '@openshell/policy';
import type { ServerState } from './backend.ts';
import { type Classification, classify } from './classify.ts';
import type { SqlContent, SqlOptions } from './options.ts';
import type { Pipeline } from './pipeline.ts';
import type { Known } from './prepared.ts';
import type { ErrorReport } from './wire.ts';

export type Verdict = { readonly kind: 'allowed' } | Refused;
export type TextVerdict = Allowed | Refused;

interface Refused {
  readonly kind: 'refused';
  readonly error: ErrorReport;
}

interface Allowed {
  readonly kind: 'allowed';
  /** To remember, under the name of Parse and those of `prepares`. */
  readonly known: Known;
  /** SQL's own PREPARE: names as the protocol has them. */
  readonly prepares: readonly string[];
}

interface Understood {
  readonly content: SqlContent;
  readonly prepares: readonly string[];
  readonly leavesUtf8: boolean;
}

/**
 * Between a client's message and policy: what is in it, and whether it may go on. `act` is called at once where policy answers at once; else
 * the promise resolves after it. What is not understood is never allowed, whatever policy says.
 */
export class StatementJudge {
  readonly #options: SqlOptions;
  readonly #state: ServerState;
  readonly #pipeline: Pipeline;
  /** The policy at the start: while it is in force, everything that was prepared was allowed by it. */
  readonly #since: Generation;

  constructor(options: SqlOptions, state: ServerState, pipeline: Pipeline) {
    this.#options = options;
    this.#state = state;
    this.#pipeline = pipeline;
    this.#since = options.generation();
  }

  /** The text of a Query or a Parse. */
  text(text: Buffer, act: (verdict: TextVerdict) => void): Promise<void> | undefined {
    const { content, prepares, leavesUtf8 } = this.#understand(text);
    return this.#ask(content, (decision) => {
      const error = refusalOf(content, decision);
      if (error !== undefined) {
        act({ kind: 'refused', error });
        return;
      }
      if (leavesUtf8) this.#state.leaveUtf8();
      const generation = decision?.generation ?? this.#options.generation();
      act({ kind: 'allowed', known: { content, generation }, prepares });
    });
  }

  /** Bind and Execute: what was allowed by a policy that is no longer in force is asked about again. */
  use(known: readonly Known[], act: (verdict: Verdict) => void): Promise<void> | undefined {
    const now = this.#options.generation();
    const stale = now === this.#since ? [] : known.filter(({ generation }) => generation !== now);
    const forgotten = now !== this.#since && known.length === 0;
    if (!forgotten && stale.length === 0) {
      act({ kind: 'allowed' });
      return undefined;
    }
    const content: SqlContent = forgotten
      ? malformed('it uses what was prepared under an older policy and is not known any more')
      : { kind: 'sql', statements: statementsOf(stale) };
    return this.#ask(content, (decision) => {
      const error = refusalOf(content, decision);
      if (error === undefined) for (const one of stale) one.generation = decision?.generation ?? now;
      act(error === undefined ? { kind: 'allowed' } : { kind: 'refused', error });
    });
  }

  /** FunctionCall names its function by a number. */
  functionCall(act: (verdict: Refused) => void): Promise<void> | undefined {
    const content = malformed('FunctionCall is not inspected: call functions with SELECT');
    return this.#ask(content, (decision) => act({ kind: 'refused', error: denial(content, decision) }));
  }

  #understand(text: Buffer): Understood {
    const classified = this.#classify(text);
    if (classified.kind === 'malformed') return { content: classified, prepares: [], leavesUtf8: false };
    const { statements } = classified;
    const besides = this.#executed(statements.flatMap(({ executes }) => executes ?? []));
    if (besides === undefined) {
      const reason = 'it executes what was prepared under an older policy, or not here';
      return { content: malformed(reason), prepares: [], leavesUtf8: false };
    }
    const own = statements.flatMap((statement) => statement.statements);
    return {
      content: { kind: 'sql', statements: [...own, ...besides] },
      prepares: statements.flatMap(({ prepares }) => (prepares === undefined ? [] : protocolName(prepares))),
      leavesUtf8: statements.some((statement) => statement.leavesUtf8 === true),
    };
  }

  #classify(text: Buffer): Classification {
    const { tableRules, limits } = this.#options;
    const decoded = this.#decode(text);
    if (decoded === undefined) return malformed('it is not valid UTF-8');
    const { standardStrings, unicodeNames } = this.#state;
    const bounds = { depth: limits.sqlDepth, statements: limits.sqlStatements, names: limits.sqlNames };
    return classify(decoded, { standardStrings, unicodeNames, tableRules, bounds });
  }

  /** In another encoding than UTF-8 every byte beyond ASCII is a letter of its own; names may not have them (lexer). */
  #decode(text: Buffer): string | undefined {
    if (isAscii(text) || !this.#state.unicodeNames) return text.toString('latin1');
    try {
      return utf8.decode(text);
    } catch {
      return undefined;
    }
  }

  /** What SQL's EXECUTE of these names executes, where the policy has changed since; undefined when that is not known. */
  #executed(names: readonly string[]): readonly SqlStatement[] | undefined {
    if (this.#options.generation() === this.#since) return [];
    const known = names.map((name) => this.#pipeline.find(protocolName(name)));
    return known.some(({ length }) => length === 0) ? undefined : statementsOf([...new Set(known.flat())]);
  }

  #ask(content: SqlContent, act: (decision: RequestDecision | undefined) => void): Promise<void> | undefined {
    // Nothing is executed: there is nothing to ask.
    if (content.kind === 'sql' && content.statements.length === 0) {
      act(undefined);
      return undefined;
    }
    const settle = (decision: RequestDecision): void => {
      const forwarded = refusalOf(content, decision) === undefined;
      this.#options.report({ kind: 'statements', content, decision, forwarded });
      act(decision);
    };
    const decision = this.#options.authorize(content);
    if (decision instanceof Promise) return decision.then(settle);
    settle(decision);
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** SQL's names are UTF-8, the protocol's are bytes. */
const protocolName = (name: string): string => Buffer.from(name).toString('latin1');

const malformed = (reason: string) => ({ kind: 'malformed', reason }) as const;

const statementsOf = (known: readonly Known[]): SqlStatement[] =>
  known.flatMap(({ content }) => (content.kind === 'sql' ? content.statements : []));

/** The error for the client; undefined where the message may go on. No decision: there was nothing to decide. */
const refusalOf = (content: SqlContent, decision: RequestDecision | undefined): ErrorReport | undefined =>
  content.kind === 'malformed' || decision?.action === 'deny' ? denial(content, decision) : undefined;

/** What a refused statement is answered with: insufficient_privilege, with the reason and what would help. */
function denial(content: SqlContent, decision: RequestDecision | undefined): ErrorReport {
  const common = { severity: 'ERROR', sqlState: '42501' } as const;
  const reason = content.kind === 'malformed' ? content.reason : 'it was refused';
  if (decision?.action !== 'deny') {
    return { ...common, message: `OpenShell: the statement was not understood: ${reason}` };
  }
  const { rule, remedy } = decision;
  const detail = content.kind === 'malformed' ? `The statement was not understood: ${reason}.` : undefined;
  return {
    ...common,
    message: `OpenShell: ${decision.reason}`,
    detail: rule === undefined ? detail : `Decided by ${rule}.`,
    hint: remedy,
  };
}
