// A second opinion on src/jose: `jose` from npm and the jose_judge of the build sign for one another, agree on thumbprints, and both
// refuse what was tampered with.
//
// Two things are ours alone and not asked of npm: a header that names a key or `crit` is refused, and base64url has one spelling.
// areas: jose
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import * as jose from 'jose'
import { casesOr, generator, judgeProgram, seed } from './lib/judge.mjs'

const judge = judgeProgram('jose_judge')
const cases = casesOr(150)

const ok = (answer) => {
  assert.match(answer, /^ok /)
  return answer.slice(3)
}

const publicHalf = ({ d, ...rest }) => rest
const curves = { EdDSA: { crv: 'Ed25519' }, ES256: {} }

async function npmKey(alg) {
  const { privateKey } = await jose.generateKeyPair(alg, { ...curves[alg], extractable: true })
  return jose.exportJWK(privateKey)
}

function payload(r) {
  const text = (n) => Array.from({ length: r.below(n) }, () => r.pick(['a', 'Z', '0', '-', 'é', '明', '🐲', '"', '\\', '/', '\u0001'])).join('')
  return { sub: text(30), exp: 1900000000 + r.below(1e6), jti: String(r.below(1e9)), scope: text(200), nested: { list: [r.chance(0.5), null, text(9)] } }
}

async function npmTakes(token, jwk, alg, typ) {
  try {
    const { payload } = await jose.compactVerify(token, await jose.importJWK(publicHalf(jwk), alg), { algorithms: [alg] })
    const { typ: said } = jose.decodeProtectedHeader(token)
    return !typ || said === typ ? new TextDecoder().decode(payload) : undefined
  } catch {
    return undefined
  }
}

// One change to a token; what is changed must not verify.
const tamper = {
  'another character in the header': (t, r) => swap(t, r, 0),
  'another character in the payload': (t, r) => swap(t, r, 1),
  'another character in the signature': (t, r) => swap(t, r, 2),
  'a part is missing': (t) => t.slice(0, t.lastIndexOf('.')),
  'the signature is empty': (t) => t.slice(0, t.lastIndexOf('.') + 1),
  'the signature is cut': (t, r) => t.slice(0, -4 * (1 + r.below(10))),
  'the signature is longer': (t) => t + 'AAAA',
  'a part more': (t) => t + '.AAAA',
  'alg none, without a signature': (t) => header({ alg: 'none' }) + t.slice(t.indexOf('.'), t.lastIndexOf('.') + 1),
  'alg none, with the signature': (t) => header({ alg: 'none' }) + t.slice(t.indexOf('.')),
  'alg HS256': (t) => header({ alg: 'HS256' }) + t.slice(t.indexOf('.')),
  'the other algorithm': (t) => header({ alg: jose.decodeProtectedHeader(t).alg === 'EdDSA' ? 'ES256' : 'EdDSA' }) + t.slice(t.indexOf('.')),
  'a crit that nobody knows': (t) => header({ ...jose.decodeProtectedHeader(t), crit: ['x'], x: 1 }) + t.slice(t.indexOf('.')),
  'an unencoded payload': (t) => header({ ...jose.decodeProtectedHeader(t), crit: ['b64'], b64: false }) + t.slice(t.indexOf('.')),
}
const header = (h) => jose.base64url.encode(JSON.stringify(h))
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
function swap(token, r, which) {
  const parts = token.split('.')
  const at = r.below(parts[which].length - 1) // the last one may carry bits that are not read
  const other = r.pick([...alphabet].filter((c) => c !== parts[which][at]))
  parts[which] = parts[which].slice(0, at) + other + parts[which].slice(at + 1)
  return parts.join('.')
}

describe(`jose from npm and ours (seed ${seed})`, { skip: judge.skip }, () => {
  for (const alg of ['EdDSA', 'ES256']) {
    describe(alg, () => {
      const r = generator(seed)
      const ours = []
      const theirs = []

      before(async () => {
        for (const answer of judge.ask(Array(8).fill(`generate ${alg}`))) ours.push(JSON.parse(ok(answer)))
        for (let i = 0; i < 8; i++) theirs.push(await npmKey(alg))
      })

      test('both read the keys of both and give them the same thumbprint', async () => {
        const keys = [...ours, ...theirs]
        const said = judge.ask(keys.map((k) => `thumbprint ${JSON.stringify(k)}`))
        const written = judge.ask(keys.map((k) => `public ${JSON.stringify(k)}`))
        for (const [i, key] of keys.entries()) {
          assert.equal(ok(said[i]), await jose.calculateJwkThumbprint(key))
          assert.equal(await jose.calculateJwkThumbprint(JSON.parse(ok(written[i]))), ok(said[i]))
          assert.ok(!('d' in JSON.parse(ok(written[i]))))
        }
      })

      test(`${cases} tokens signed here are taken there, with the same payload`, async () => {
        const list = Array.from({ length: cases }, () => ({ jwk: r.pick([...ours, ...theirs]), text: JSON.stringify(payload(r)).replaceAll(' ', '') }))
        const tokens = judge.ask(list.map(({ jwk, text }) => `sign at+jwt ${text} ${JSON.stringify(jwk)}`)).map(ok)
        for (const [i, { jwk, text }] of list.entries()) assert.equal(await npmTakes(tokens[i], jwk, alg, 'at+jwt'), text)
      })

      test(`${cases} tokens signed there are taken here, with the same payload`, async () => {
        const list = []
        for (let i = 0; i < cases; i++) {
          const jwk = r.pick([...ours, ...theirs])
          const text = JSON.stringify(payload(r))
          const head = { alg, typ: r.pick(['JWT', 'jwt', 'application/jwt']), ...(r.chance(0.5) && { kid: 'any', cty: 'é' }) }
          const token = await new jose.CompactSign(new TextEncoder().encode(text)).setProtectedHeader(head).sign(await jose.importJWK(jwk, alg))
          list.push({ jwk, text, token })
        }
        const answers = judge.ask(list.map(({ jwk, token }) => `verify JWT ${token} ${JSON.stringify(publicHalf(jwk))}`))
        for (const [i, { text }] of list.entries()) assert.equal(ok(answers[i]), text)
      })

      test('what was tampered with is refused by both', async () => {
        const list = Object.keys(tamper).flatMap((how) => Array.from({ length: cases / 5 }, () => ({ how, jwk: r.pick([...ours, ...theirs]) })))
        const signed = judge.ask(list.map(({ jwk }) => `sign JWT ${JSON.stringify({ n: r.below(1e9) })} ${JSON.stringify(jwk)}`)).map(ok)
        for (const [i, entry] of list.entries()) Object.assign(entry, { good: signed[i], bad: tamper[entry.how](signed[i], r) })
        const verify = (token, jwk) => `verify * ${token} ${JSON.stringify(publicHalf(jwk))}`
        const answers = judge.ask(list.flatMap(({ good, bad, jwk }) => [verify(good, jwk), verify(bad, jwk)]))
        for (const [i, { how, jwk, bad }] of list.entries()) {
          ok(answers[2 * i])
          assert.match(answers[2 * i + 1], /^error: /, `${how}: ${bad}`)
          assert.equal(await npmTakes(bad, jwk, alg), undefined, `${how}: ${bad}`)
        }
      })

      test('a token is refused under every other key, by both', async () => {
        const keys = [...ours, ...theirs]
        const token = ok(judge.ask([`sign JWT {} ${JSON.stringify(keys[0])}`])[0])
        const answers = judge.ask(keys.map((k) => `verify * ${token} ${JSON.stringify(publicHalf(k))}`))
        for (const [i, key] of keys.entries()) {
          assert.match(answers[i], i === 0 ? /^ok / : /^error: the token's signature is not that of the key/)
          assert.equal(await npmTakes(token, key, alg), i === 0 ? '{}' : undefined)
        }
      })
    })
  }
})
