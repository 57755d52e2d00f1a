// What an authenticator makes and signs, byte by byte, for what no real one would write: each part can be given another form. With
// nothing said it is what browsers hand over. (lib/authenticator.mjs is one that behaves.)
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

// ---- CBOR, as its bytes ----

export function head(major, n, bytes) {
  const big = BigInt(n)
  bytes ??= big < 24n ? 0 : big < 0x100n ? 1 : big < 0x10000n ? 2 : big < 0x100000000n ? 4 : 8
  if (!bytes) return Buffer.of((major << 5) | Number(big))
  const all = Buffer.alloc(9)
  all.writeBigUInt64BE(big, 1)
  return Buffer.concat([Buffer.of((major << 5) | (24 + Math.log2(bytes))), all.subarray(9 - bytes)])
}
export const int = (n) => (n < 0 ? head(1, -1 - n) : head(0, n))
export const bytes = (b) => Buffer.concat([head(2, b.length), b])
export const text = (s) => Buffer.concat([head(3, Buffer.byteLength(s)), Buffer.from(s)])
export const array = (...items) => Buffer.concat([head(4, items.length), ...items])
export const map = (...pairs) => Buffer.concat([head(5, pairs.length), ...pairs.flat()])
export const deep = (n) => Buffer.concat([Buffer.alloc(n, 0x81), int(0)])

// ---- keys ----

const sha256 = (b) => createHash('sha256').update(b).digest()

export function newKey(alg) {
  const { privateKey, publicKey } = alg === -8 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const x = Buffer.from(jwk.x, 'base64url')
  const cose = [[int(1), int(alg === -8 ? 1 : 2)], [int(3), int(alg)], [int(-1), int(alg === -8 ? 6 : 1)], [int(-2), bytes(x)]]
  if (jwk.y) cose.push([int(-3), bytes(Buffer.from(jwk.y, 'base64url'))])
  return { alg, jwk, cose, sign: (data) => sign(alg === -8 ? null : 'sha256', data, privateKey) }
}

// ---- what a browser hands over ----

function clientData(type, p) {
  const data = { type, challenge: p.challenge.toString('base64url'), origin: p.origin, crossOrigin: false, ...p.client }
  return p.clientBytes?.(data) ?? Buffer.from(JSON.stringify(data))
}

function authData(p, flags, ...rest) {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(p.count ?? 0)
  return Buffer.concat([sha256(p.rpId), Buffer.of(p.flags ?? flags), count, ...rest, p.behind ?? Buffer.alloc(0)])
}

// { key, challenge, origin, rpId, … } → { id, clientData, attestation, cose }
export function make(p) {
  const id = p.id ?? randomBytes(32)
  const idLength = Buffer.alloc(2)
  idLength.writeUInt16BE(p.idLength ?? id.length)
  const whole = authData(p, 0x45, Buffer.alloc(16), idLength, id, p.cose?.(p.key.cose) ?? map(...p.key.cose))
  const data = p.data?.(whole) ?? whole
  const members = [[text('fmt'), text('none')], [text('attStmt'), map()], [text('authData'), bytes(data)]]
  const attestation = Buffer.concat([p.members?.(members) ?? map(...members), p.tail ?? Buffer.alloc(0)])
  return { id, clientData: clientData('webauthn.create', p), attestation, cose: map(...p.key.cose) }
}

// { key, challenge, origin, rpId, … } → { clientData, data, signature }
export function assert(p) {
  const client = clientData('webauthn.get', p)
  const data = authData(p, 0x05)
  const good = (p.signer ?? p.key).sign(Buffer.concat([data, sha256(client)]))
  return { clientData: client, data, signature: p.signature?.(good) ?? good }
}
