import { X509Certificate } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../api-error.ts';
import { STYLE_SOURCE, trustHtml } from './trust-html.ts';
import type { Trust } from './trust.ts';

export const TRUST_PATH = '/trust';

export interface TrustPagePorts {
  trust(): Promise<Trust>;
  /** Base of addresses in what people type. */
  publicUrl(): string;
}

const HEADERS = {
  'content-security-policy': `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

/** A page that explains the place's authority, and hands it out. Everybody may read it: certificates are no secrets. */
export function addTrustPage(app: FastifyInstance, ports: TrustPagePorts): void {
  const authority = async (): Promise<string> => {
    const { authority: pem } = await ports.trust();
    if (pem !== undefined) return pem;
    const message = 'This server has a certificate of its operator: there is no authority to trust';
    throw new ApiError({ status: 404, code: 20404, message });
  };
  app.get(TRUST_PATH, async (_request, reply) =>
    reply
      .headers(HEADERS)
      .type('text/html; charset=utf-8')
      .send(trustHtml(await ports.trust(), ports.publicUrl())),
  );
  app.get(`${TRUST_PATH}/tandem-ca.pem`, async (_request, reply) =>
    reply
      .headers({ ...HEADERS, 'content-disposition': 'attachment; filename="tandem-ca.pem"' })
      .type('application/x-pem-file')
      .send(await authority()),
  );
  // Phones and Firefox offer to install what comes with this type (DER).
  app.get(`${TRUST_PATH}/tandem-ca.crt`, async (_request, reply) =>
    reply
      .headers({ ...HEADERS, 'content-disposition': 'inline; filename="tandem-ca.crt"' })
      .type('application/x-x509-ca-cert')
      .send(Buffer.from(new X509Certificate(await authority()).raw)),
  );
}
