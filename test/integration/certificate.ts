// A certificate for 127.0.0.1 that nobody vouches for, made for one run by openssl.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether tests have to do without one. */
export const noOpenssl = spawnSync('openssl', ['version']).status !== 0
if (noOpenssl)
  console.warn(
    'SKIPPED: no openssl, which makes the certificate for wss:. Install it with apt-get install openssl',
  )

/** In PEM. */
export interface Certificate extends Disposable {
  readonly key: Buffer
  readonly cert: Buffer
  /** Path of `cert`. */
  readonly file: string
}

/** Make one; its files go when it is disposed. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'noisecap-tls-'))
  const file = join(folder, 'certificate.pem')
  const keyFile = join(folder, 'key.pem')
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const request = ['req', '-x509', ...curve, '-nodes', '-days', '1', ...subject]
  execFileSync('openssl', [...request, '-keyout', keyFile, '-out', file], { stdio: 'ignore' })
  return {
    key: readFileSync(keyFile),
    cert: readFileSync(file),
    file,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
