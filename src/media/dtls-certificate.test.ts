import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { it } from 'node:test';
import { makeDtlsCertificate } from './dtls-certificate.ts';

const NOW = Date.UTC(2026, 10, 26);

it('makes a certificate that OpenSSL reads, for its own key, valid now', () => {
  const { certificatePem, keyPem, fingerprint } = makeDtlsCertificate(NOW);
  const certificate = new X509Certificate(certificatePem);
  assert.equal(certificate.subject, 'CN=tandem');
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
  assert.equal(certificate.fingerprint256, fingerprint.value);
  assert.ok(Date.parse(certificate.validFrom) < NOW && Date.parse(certificate.validTo) > NOW);
});

it('makes another key each time, and always one that can be read', () => {
  const made = Array.from({ length: 50 }, () => makeDtlsCertificate(NOW));
  assert.equal(new Set(made.map(({ fingerprint }) => fingerprint.value)).size, made.length);
  for (const { certificatePem } of made) assert.ok(new X509Certificate(certificatePem).serialNumber.length > 16);
});
