import { hash, randomBytes } from 'node:crypto';
import type {
  AuthorityCertificate,
  AuthorityRole,
  AuthorityStatus,
  RotationStep,
} from '../contract/authority.ts';
import { ControlRefusal } from '../contract/refusal.ts';

/** Rotates what look like certificates. */
export class FakeAuthority {
  #certificates: readonly AuthorityCertificate[] = [certificate('signing')];

  status(): AuthorityStatus {
    return {
      certificates: this.#certificates,
      bundlePem: this.#certificates.map(({ pem }) => pem).join(''),
    };
  }

  rotate(step: RotationStep): AuthorityStatus {
    this.#certificates = this.#after(step);
    return this.status();
  }

  #after(step: RotationStep): readonly AuthorityCertificate[] {
    const [signing, other] = this.#certificates;
    switch (step) {
      case 'prepare':
        if (other) break;
        return [signing!, certificate('next')];
      case 'activate':
        if (other?.role !== 'next') break;
        return [
          { ...other, role: 'signing' },
          { ...signing!, role: 'previous' },
        ];
      case 'retire':
        if (other?.role !== 'previous') break;
        return [signing!];
    }
    throw new ControlRefusal(`"${step}" is not the next step of the rotation`, { code: 'rotation_order' });
  }
}

const certificate = (role: AuthorityRole): AuthorityCertificate => {
  const bytes = randomBytes(48);
  return {
    role,
    pem: `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`,
    fingerprint: hash('sha256', bytes, 'hex'),
    notBefore: 1_700_000_000_000,
    notAfter: 1_900_000_000_000,
  };
};
