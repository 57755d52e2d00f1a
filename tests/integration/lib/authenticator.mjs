// A passkey in software, for tests: what an authenticator and its browser do for navigator.credentials (Web Authentication Level 3).
//
//   const key = new Authenticator()
//   const made = key.create(options, origin)            // of POST /console/v1/passkeys/options
//   const signed = key.get({ challenge, rpId }, origin)  // of POST /console/v1/proof, or GET /console/v1/sign-in
//
// Whatever a test wants to be wrong is said with `wrong`: { origin, type, crossOrigin, rpId, flags, count, signature, challenge }.
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()
const b64 = (bytes) => Buffer.from(bytes).toString('base64url')

// CBOR (RFC 8949), as much of it as an attestation needs.
function head(major, n) {
  if (n < 24) return Buffer.from([(major << 5) | n])
  if (n < 256) return Buffer.from([(major << 5) | 24, n])
  return Buffer.from([(major << 5) | 25, n >> 8, n & 255])
}
function cbor(value) {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])])
}

const PRESENT = 1, VERIFIED = 4, ATTESTED = 64

export class Authenticator {
  constructor({ alg = 'ES256', counts = true } = {}) {
    Object.assign(this, { alg, counts, count: 0, id: randomBytes(32) })
    this.pair = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  }

  // Somebody else's device with the same secret: what a count of signatures is there to find.
  copy() {
    const other = Object.assign(Object.create(Authenticator.prototype), this)
    other.pair = { ...this.pair, privateKey: createPrivateKey(this.pair.privateKey.export({ type: 'pkcs8', format: 'pem' })) }
    return other
  }

  cose() {
    const jwk = this.pair.publicKey.export({ format: 'jwk' }), part = (s) => Buffer.from(s, 'base64url')
    return this.alg === 'EdDSA' ? cbor(new Map([[1, 1], [3, -8], [-1, 6], [-2, part(jwk.x)]]))
      : cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, part(jwk.x)], [-3, part(jwk.y)]]))
  }

  data(rpId, flags) {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(this.counts ? ++this.count : 0)
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count])
  }

  client(type, challenge, origin, wrong) {
    return Buffer.from(JSON.stringify({ type: wrong.type ?? type, challenge: wrong.challenge ?? challenge,
                                        origin: wrong.origin ?? origin, crossOrigin: wrong.crossOrigin ?? false }))
  }

  create({ challenge, rp, user }, origin, wrong = {}) {
    this.user = user.id
    const length = Buffer.from([this.id.length >> 8, this.id.length & 255])
    const data = Buffer.concat([this.data(wrong.rpId ?? rp.id, wrong.flags ?? (PRESENT | VERIFIED | ATTESTED)), Buffer.alloc(16), length,
                                this.id, this.cose()])
    const object = cbor(new Map([['fmt', 'none'], ['attStmt', new Map()], ['authData', data]]))
    return { id: b64(this.id), clientDataJSON: b64(this.client('webauthn.create', challenge, origin, wrong)), attestationObject: b64(object) }
  }

  get({ challenge, rpId }, origin, wrong = {}) {
    const data = this.data(wrong.rpId ?? rpId, wrong.flags ?? (PRESENT | VERIFIED))
    const client = this.client('webauthn.get', challenge, origin, wrong)
    const signature = sign(this.alg === 'EdDSA' ? null : 'sha256', Buffer.concat([data, sha256(client)]), this.pair.privateKey)
    if (wrong.signature) signature[signature.length - 1] ^= 1
    return { id: b64(this.id), clientDataJSON: b64(client), authenticatorData: b64(data), signature: b64(signature) }
  }
}
