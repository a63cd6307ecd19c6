import { inspect } from 'node:util';
import { OpenShellError } from '@openshell/base';
import { SigningAuthority } from './authority.ts';

/** What a ring consists of. Of the previous authority only the certificate is left: nothing is signed with it any more. */
export interface RingContent {
  readonly signing: SigningAuthority;
  readonly next?: SigningAuthority | undefined;
  readonly previous?: PreviousAuthority | undefined;
}

/** An authority that was replaced, and how it vouches for the one that signs now. */
export interface PreviousAuthority {
  readonly certificatePem: string;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Sent along with each leaf, for clients that trust only the previous one. Empty: it vouches for nobody. */
  readonly vouchingPem: string;
}

const SHOWN = '[keys of an authority]';

/**
 * A ring with its private keys, on its way to another process of the same proxy. Printed, as JSON and in an inspection it shows
 * nothing; `reveal` gives the text that goes over a pipe that nobody else can read.
 */
export class AuthorityKeys {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static of({ signing, next, previous }: RingContent): AuthorityKeys {
    return new AuthorityKeys(
      JSON.stringify({
        signing: pair(signing),
        ...(next && { next: pair(next) }),
        ...(previous && { previous }),
      }),
    );
  }

  /** What `reveal` gave. Nothing is checked before it is used. */
  static from(text: string): AuthorityKeys {
    return new AuthorityKeys(text);
  }

  reveal(): string {
    return this.#text;
  }

  /** Throws `authority_invalid`, without a word of what it holds. */
  open(): RingContent {
    try {
      const { signing, next, previous } = JSON.parse(this.#text) as Written;
      return {
        signing: restore(signing),
        ...(next && { next: restore(next) }),
        ...(previous && {
          previous: {
            ...previous,
            notBefore: new Date(previous.notBefore),
            notAfter: new Date(previous.notAfter),
          },
        }),
      };
    } catch {
      // The cause is left out on purpose: it may quote the text.
      throw new OpenShellError('the keys of the authority that another process sent cannot be read', {
        code: 'authority_invalid',
        remedy: 'All processes of a proxy have to be of the same version.',
      });
    }
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

interface Pair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

interface Written {
  readonly signing: Pair;
  readonly next?: Pair;
  readonly previous?: Omit<PreviousAuthority, 'notBefore' | 'notAfter'> & {
    readonly notBefore: string;
    readonly notAfter: string;
  };
}

const pair = (authority: SigningAuthority): Pair => ({
  certificatePem: authority.certificatePem,
  keyPem: authority.revealKey(),
});

const restore = ({ certificatePem, keyPem }: Pair): SigningAuthority =>
  SigningAuthority.restore(certificatePem, keyPem);
