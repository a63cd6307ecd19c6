import type { X509Certificate } from 'node:crypto';
import { messageOf, OpenShellError } from '@openshell/base';
import { crypto } from './builtin.ts';

const BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const BEGIN = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * All certificates of a PEM text, in order. Throws `certificate_invalid` where there is none, one is cut off or cannot be read: TLS
 * libraries skip such a certificate silently, and the trouble shows much later.
 */
export function readCertificates(pem: string, what: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) {
    throw new OpenShellError(`${what} holds no certificate in PEM form`, {
      code: 'certificate_invalid',
      remedy: 'Give a file that contains -----BEGIN CERTIFICATE-----.',
    });
  }
  if (blocks.length < (pem.match(BEGIN)?.length ?? 0)) {
    throw new OpenShellError(`${what} ends in the middle of a certificate`, {
      code: 'certificate_invalid',
      remedy: 'It may be being written at this moment; give a file that is complete.',
    });
  }
  return blocks.map((block, index) => {
    try {
      return new (crypto().X509Certificate)(block);
    } catch (cause) {
      throw new OpenShellError(`certificate ${index + 1} of ${what} cannot be read: ${messageOf(cause)}`, {
        code: 'certificate_invalid',
        cause,
      });
    }
  });
}
