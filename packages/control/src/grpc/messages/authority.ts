import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { AuthorityCertificate, AuthorityRole, AuthorityStatus } from '../../contract/authority.ts';
import type {
  AuthorityCertificateSchema,
  AuthoritySchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { narrow, wide } from './numbers.ts';

export const authorityTo = (authority: AuthorityStatus): MessageInitShape<typeof AuthoritySchema> => ({
  certificates: authority.certificates.map(certificateTo),
  bundlePem: authority.bundlePem,
});

export const authorityFrom = (message: MessageShape<typeof AuthoritySchema>): AuthorityStatus => ({
  certificates: message.certificates.map(certificateFrom),
  bundlePem: message.bundlePem,
});

const certificateTo = (
  certificate: AuthorityCertificate,
): MessageInitShape<typeof AuthorityCertificateSchema> => ({
  role: certificate.role,
  pem: certificate.pem,
  fingerprint: certificate.fingerprint,
  notBefore: wide(certificate.notBefore),
  notAfter: wide(certificate.notAfter),
});

const certificateFrom = (message: MessageShape<typeof AuthorityCertificateSchema>): AuthorityCertificate => ({
  role: message.role as AuthorityRole,
  pem: message.pem,
  fingerprint: message.fingerprint,
  notBefore: narrow(message.notBefore),
  notAfter: narrow(message.notAfter),
});
