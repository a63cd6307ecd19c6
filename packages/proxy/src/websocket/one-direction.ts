import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import {
  CLOSE,
  CONTROL_PAYLOAD_BYTES,
  type ControlOpcode,
  closePayload,
  type DataHeader,
  fault,
  OPCODE,
  type Side,
  type WebSocketFault,
} from './frame.ts';
import { type FrameEvent, FrameReader } from './frame-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { type AssemblyLimits, MessageAssembly } from './message-assembly.ts';
import type { MessageRules, MessageVerdict, WebSocketMessage } from './rules.ts';

export type DirectionLimits = AssemblyLimits &
  Pick<Limits, 'webSocketAssemblyIdleTime' | 'webSocketAssemblyTime' | 'webSocketForwardTime'>;

/** What a direction tells the relay that it is part of. After `failed` and `refused` the relay stops it. */
export interface DirectionEvents {
  /** Bytes have come. */
  moved(): void;
  /** The side has sent its close frame, which is passed on. 1005: without a code. */
  closed(from: Side, code: number): void;
  /** The side will send nothing more, and what it sent is dealt with. */
  ended(from: Side): void;
  failed(from: Side, fault: WebSocketFault): void;
  refused(from: Side, reason: string): void;
}

export interface DirectionOptions {
  readonly from: Side;
  readonly source: Duplex;
  readonly sink: FrameWriter;
  /** permessage-deflate was agreed on. */
  readonly deflate: boolean;
  readonly rules: MessageRules | undefined;
  readonly limits: DirectionLimits;
  readonly budget: ByteBudget;
  readonly events: DirectionEvents;
}

const ALLOW: MessageVerdict = { action: 'allow' };
/** RFC 6455 section 7.4.1: stands for a close frame without a code. */
const NO_CODE = 1005;

/**
 * What one side says, on its way to the other: frame by frame where nobody reads it, message by message where somebody
 * does. Strictly in order: while a message is being decided, or the other side is full, nothing more is read.
 */
export class OneDirection {
  readonly #options: DirectionOptions;
  readonly #reader: FrameReader;
  #state: 'open' | 'closed' = 'open';
  /** The message that is being put together. */
  #assembly: MessageAssembly | undefined;
  #assemblySince = 0;
  /** The message that the other side has not taken yet. */
  #unsent: MessageAssembly | undefined;
  #header: DataHeader | undefined;
  #deciding = false;
  #askAgain = false;
  #sourceEnded = false;
  #endReported = false;
  #deadline: NodeJS.Timeout | undefined;
  #bytes = 0;
  #messages = 0;

  constructor(options: DirectionOptions) {
    this.#options = options;
    this.#reader = new FrameReader(options.from, options.deflate);
  }

  /** Bytes that the side has sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that the side has sent to their end and that were passed on. */
  get messages(): number {
    return this.#messages;
  }

  start(early: Buffer): void {
    const { source } = this.#options;
    source.pause();
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#end());
    if (source.readableEnded || source.destroyed) queueMicrotask(() => this.#end());
    // Its bytes are masked in place, and these may be part of somebody else's.
    this.#take(Buffer.from(early));
    if (this.#state === 'closed') source.resume();
  }

  /** There is room again on the other side. */
  drained(): void {
    this.#unsent?.release();
    this.#unsent = undefined;
    this.#pump();
  }

  /** The side is gone: nothing more will come. */
  gone(): void {
    this.#end();
  }

  /** The rules have changed: a message that passes unread, already allowed, is asked about again before its next frame. */
  reauthorize(): void {
    this.#askAgain = true;
  }

  /** From now on what the side says is dropped. */
  stop(): void {
    this.#state = 'closed';
    clearTimeout(this.#deadline);
    this.#assembly?.release();
    this.#unsent?.release();
    this.#assembly = undefined;
    this.#unsent = undefined;
    this.#options.source.resume();
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#state === 'closed') return;
    this.#options.events.moved();
    this.#reader.push(chunk);
    this.#pump();
  }

  #end(): void {
    if (this.#sourceEnded) return;
    this.#sourceEnded = true;
    this.#pump();
  }

  #pump(): void {
    const { source, sink, events, from } = this.#options;
    let starved = false;
    sink.together(() => {
      while (this.#ready && !starved) {
        const event = this.#reader.next();
        if (event === undefined) starved = true;
        else this.#act(event);
      }
    });
    if (this.#state === 'closed' || starved) {
      source.resume();
      if (this.#sourceEnded && !this.#endReported) {
        this.#endReported = true;
        events.ended(from);
      }
    } else {
      source.pause();
    }
    this.#watch();
  }

  get #ready(): boolean {
    return this.#state === 'open' && !this.#deciding && !this.#options.sink.full;
  }

  #act(event: FrameEvent): void {
    switch (event.kind) {
      case 'header':
        this.#header = event.header;
        this.#begin(event.header);
        return;
      case 'payload':
        this.#payload(this.#header!, event.bytes, event.last);
        return;
      case 'control':
        this.#control(event.opcode, event.payload);
        return;
      case 'fault':
        this.#fail(event);
        return;
      default:
        event satisfies never;
    }
  }

  #begin(header: DataHeader): void {
    const { rules, limits, budget, sink } = this.#options;
    if (rules === undefined) {
      sink.header(header);
      return;
    }
    // Where nobody looks into a binary message, it is decided by its first frame and not kept.
    if (header.type === 'binary' && rules.mask === undefined && rules.guard === undefined) {
      this.#beginUnread(header, rules);
      return;
    }
    if (header.first) {
      this.#assembly = new MessageAssembly(header, limits, budget);
      this.#assemblySince = performance.now();
    }
    this.#fail(this.#assembly!.begin(header));
  }

  #beginUnread(header: DataHeader, rules: MessageRules): void {
    const { from, sink, limits } = this.#options;
    if (header.length > limits.webSocketBinaryBytes) {
      this.#fail(fault(CLOSE.tooBig, `a binary frame of more than ${limits.webSocketBinaryBytes} bytes`));
      return;
    }
    if (!header.first && !this.#askAgain) {
      sink.header(header);
      return;
    }
    this.#askAgain = false;
    this.#allowed(rules, { from, kind: 'binary' }, () => sink.header(header));
  }

  #payload(header: DataHeader, bytes: Buffer, last: boolean): void {
    const assembly = this.#assembly;
    if (assembly === undefined) this.#options.sink.payload(bytes);
    else if (this.#fail(assembly.add(bytes))) return;
    if (!last || !header.fin) return;
    if (assembly === undefined) this.#messages += 1;
    else this.#decide(assembly);
  }

  #decide(assembly: MessageAssembly): void {
    const { from, rules = {} } = this.#options;
    const message = assembly.finish();
    if (message.kind === 'fault') {
      this.#fail(message);
      return;
    }
    const { type, payload } = message;
    if (type === 'binary') {
      this.#allowed(rules, { from, kind: 'binary' }, () => {
        const refusal = rules.guard?.(payload);
        if (refusal === undefined) this.#send(assembly, type, payload);
        else this.#refuse(refusal.reason);
      });
      return;
    }
    if (!isUtf8(payload)) {
      this.#fail(fault(CLOSE.notUtf8, 'a text message that is not UTF-8'));
      return;
    }
    const text = payload.toString('utf8');
    this.#allowed(rules, { from, kind: 'text', text }, () => {
      this.#after(
        () => (rules.rewrite === undefined ? text : rules.rewrite(text)),
        (out) => {
          if (typeof out !== 'string') this.#refuse(out.reason);
          else this.#send(assembly, type, out === text ? payload : Buffer.from(out));
        },
      );
    });
  }

  #send(assembly: MessageAssembly, type: 'text' | 'binary', payload: Buffer): void {
    const { sink } = this.#options;
    sink.message(type, this.#masked(payload));
    this.#assembly = undefined;
    this.#messages += 1;
    if (sink.full) this.#unsent = assembly;
    else assembly.release();
  }

  #control(opcode: ControlOpcode, payload: Buffer): void {
    const { sink, events, from } = this.#options;
    if (opcode !== OPCODE.close) {
      this.#after(
        () => this.#masked(payload),
        (bytes) => sink.control(opcode, bytes.subarray(0, CONTROL_PAYLOAD_BYTES)),
      );
      return;
    }
    const code = payload.length === 0 ? NO_CODE : payload.readUInt16BE(0);
    this.#after(
      () => this.#masked(payload.subarray(2)).toString('utf8'),
      (reason) => {
        sink.control(opcode, payload.length === 0 ? payload : closePayload(code, reason));
        this.stop();
        events.closed(from, code);
      },
    );
  }

  /** The bytes without secrets: as text where they are UTF-8, and byte by byte where they are not. */
  #masked(bytes: Buffer): Buffer {
    const { rules } = this.#options;
    if (rules?.mask === undefined || bytes.length === 0) return bytes;
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = bytes.toString(encoding);
    const masked = rules.mask(text);
    return masked === text ? bytes : Buffer.from(masked, encoding);
  }

  #allowed(rules: MessageRules, message: WebSocketMessage, next: () => void): void {
    this.#after(
      () => (rules.authorize === undefined ? ALLOW : rules.authorize(message)),
      (verdict) => {
        if (verdict.action === 'allow') next();
        else this.#refuse(verdict.reason);
      },
    );
  }

  /** Goes on with an answer at once where it is there, else when it comes; reading rests until then. */
  #after<T>(ask: () => T | Promise<T>, next: (answer: T) => void): void {
    const goOn = (answer: T): void => {
      if (this.#state === 'closed') return;
      try {
        next(answer);
      } catch {
        this.#undecided();
      }
    };
    let answer: T | Promise<T>;
    try {
      answer = ask();
    } catch {
      this.#undecided();
      return;
    }
    if (!(answer instanceof Promise)) {
      goOn(answer);
      return;
    }
    this.#deciding = true;
    answer.then(
      (settled) => this.#resume(() => goOn(settled)),
      () => this.#resume(() => this.#undecided()),
    );
  }

  #resume(goOn: () => void): void {
    this.#deciding = false;
    goOn();
    this.#pump();
  }

  /** What was thrown is not told: it may quote the message. */
  #undecided(): void {
    this.#fail(fault(CLOSE.internal, 'a message could not be decided'));
  }

  #refuse(reason: string): void {
    if (this.#state === 'open') this.#options.events.refused(this.#options.from, reason);
  }

  /** True where there was a fault. */
  #fail(problem: WebSocketFault | undefined): boolean {
    if (problem === undefined) return false;
    if (this.#state === 'open') this.#options.events.failed(this.#options.from, problem);
    return true;
  }

  #watch(): void {
    clearTimeout(this.#deadline);
    if (this.#state === 'closed' || this.#deciding) return;
    const { limits } = this.#options;
    if (this.#unsent !== undefined) {
      const stalled = fault(CLOSE.tryLater, 'the other side did not take a message in time');
      this.#deadline = setTimeout(() => this.#fail(stalled), limits.webSocketForwardTime);
    } else if (this.#assembly !== undefined) {
      const left = limits.webSocketAssemblyTime - (performance.now() - this.#assemblySince);
      const late = fault(CLOSE.protocolError, 'a message that did not come to its end in time');
      this.#deadline = setTimeout(() => this.#fail(late), Math.min(left, limits.webSocketAssemblyIdleTime));
    }
  }
}
