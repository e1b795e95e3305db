import { type KeyAndCertificate, CertificateAuthority } from './certificates.js';

/** The certificates of the server: a valid one, or one that a client has to reject. */
export type CertificateKind = 'good' | 'wrong-name' | 'expired' | 'untrusted';

const NAMES = {
  subject: 'CN=kube-apiserver',
  usage: 'server',
  dnsNames: [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ],
  ipAddresses: ['127.0.0.1', '::1'],
} as const;

/** @param trusted the authority whose certificate clients hold */
export async function issueServerCertificate(
  trusted: CertificateAuthority,
  kind: CertificateKind,
): Promise<KeyAndCertificate> {
  switch (kind) {
    case 'good':
      return trusted.issue(NAMES);
    case 'wrong-name':
      return trusted.issue({ ...NAMES, dnsNames: ['elsewhere.example'], ipAddresses: ['192.0.2.1'] });
    case 'expired':
      return trusted.issue({ ...NAMES, isExpired: true });
    case 'untrusted':
      return (await CertificateAuthority.create()).issue(NAMES);
  }
}
