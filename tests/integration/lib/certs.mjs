// Authorities and certificates for one test file, made by openssl(1).
//
//   const ca = authority('Test CA')
//   const { certificate, key } = ca.issue('localhost', { san: 'IP:127.0.0.1,DNS:localhost' })
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const CERTS = mkdtempSync(join(tmpdir(), 'doorward-certs-'))
process.on('exit', () => rmSync(CERTS, { recursive: true, force: true }))

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
let count = 0

export function authority(name) {
  const at = join(CERTS, `ca-${count++}`)
  const ca = `${at}.pem`, caKey = `${at}.key`
  openssl('req', '-x509', ...EC, '-subj', `/CN=${name}`, '-days', '30', '-keyout', caKey, '-out', ca)
  return {
    ca, pem: readFileSync(ca),
    issue(cn, { san = 'IP:127.0.0.1,DNS:localhost', days = 7, rsa } = {}) {
      const own = join(CERTS, `${cn}-${count++}`)
      const kind = rsa ? ['-newkey', 'rsa:2048', '-nodes'] : EC
      openssl('req', ...kind, '-subj', `/O=Tests/CN=${cn}`, '-keyout', `${own}.key`, '-out', `${own}.csr`)
      writeFileSync(`${own}.ext`, san ? `subjectAltName=${san}\n` : 'basicConstraints=CA:FALSE\n')
      openssl('x509', '-req', '-in', `${own}.csr`, '-CA', ca, '-CAkey', caKey, '-days', `${days}`, '-extfile', `${own}.ext`, '-out', `${own}.pem`)
      writeFileSync(`${own}.both`, readFileSync(`${own}.pem`, 'utf8') + readFileSync(`${own}.key`, 'utf8'), { mode: 0o600 })
      return { certificate: `${own}.pem`, key: `${own}.key`, both: `${own}.both`,
               pem: { cert: readFileSync(`${own}.pem`), key: readFileSync(`${own}.key`) } }
    },
  }
}
