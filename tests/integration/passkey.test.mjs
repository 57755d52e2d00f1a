// A second opinion on src/passkey: what Chromium's authenticator makes and signs, and what is made wrong byte by byte, is given to the
// passkey_judge of the build and to `@simplewebauthn/server` from npm. Both take the same; where ours refuses what npm takes, the table
// says so.
// areas: passkey
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, beforeEach, describe, test } from 'node:test'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { chromium } from 'playwright-core'
import { judgeProgram } from './lib/judge.mjs'
import * as soft from './lib/passkey_bytes.mjs'

const judge = judgeProgram('passkey_judge')
const b64 = (b) => Buffer.from(b).toString('base64url')
const hex = (s) => Buffer.from(s, 'hex')
const names = { '-7': 'ES256', '-8': 'EdDSA' }

// ---- the two judges ----

const registerLine = (p, made) => ['register', p.rpId, p.origin, b64(p.challenge), b64(made.clientData), b64(made.attestation)].join(' ')
const assertLine = (p, signed, known) =>
  ['assert', p.rpId, p.origin, b64(p.challenge), b64(signed.clientData), b64(signed.data), b64(signed.signature), known.count, !!known.mayBackUp, JSON.stringify(known.jwk)].join(' ')

async function npm(ask) {
  try {
    const said = await ask()
    return said.verified ? said : undefined
  } catch {
    return undefined
  }
}

const expected = (p) => ({ expectedChallenge: b64(p.challenge), expectedOrigin: p.origin, expectedRPID: p.rpId, requireUserVerification: true })

const npmRegister = (p, made) =>
  npm(() =>
    verifyRegistrationResponse({
      ...expected(p),
      supportedAlgorithmIDs: [-8, -7],
      response: { id: b64(made.id), rawId: b64(made.id), type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON: b64(made.clientData), attestationObject: b64(made.attestation) } },
    }),
  )

const npmAssert = (p, signed, known) =>
  npm(() =>
    verifyAuthenticationResponse({
      ...expected(p),
      credential: { id: b64(known.id), publicKey: new Uint8Array(known.cose), counter: known.count },
      response: {
        id: b64(known.id),
        rawId: b64(known.id),
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: b64(signed.clientData), authenticatorData: b64(signed.data), signature: b64(signed.signature) },
      },
    }),
  )

// What both take, as what is kept of it.
async function bothRegister(p, made) {
  const [answer] = judge.ask([registerLine(p, made)])
  assert.match(answer, /^ok /)
  const ours = JSON.parse(answer.slice(3))
  const theirs = await npmRegister(p, made)
  assert.ok(theirs, 'npm refuses it')
  const { credential, credentialDeviceType } = theirs.registrationInfo
  assert.equal(ours.id, credential.id)
  assert.equal(ours.count, credential.counter)
  assert.equal(ours.mayBackUp, credentialDeviceType === 'multiDevice')
  return { ...ours, id: Buffer.from(ours.id, 'base64url'), cose: credential.publicKey }
}

async function bothAssert(p, signed, known) {
  const [answer] = judge.ask([assertLine(p, signed, known)])
  const theirs = await npmAssert(p, signed, known)
  assert.match(answer, /^ok \d+$/)
  assert.ok(theirs, 'npm refuses it')
  assert.equal(Number(answer.slice(3)), theirs.authenticationInfo.newCounter)
  return { ...known, count: theirs.authenticationInfo.newCounter }
}

async function bothRefuse(p, signed, known, why) {
  const [answer] = judge.ask([assertLine(p, signed, known)])
  assert.match(answer, why)
  assert.equal(await npmAssert(p, signed, known), undefined)
}

// ---- Chromium ----

const program = process.env.CHROMIUM ?? '/usr/bin/chromium'
const skip = judge.skip || (!existsSync(program) && `${program} is not there`)

// In the page.
async function browserCreate({ challenge, rpId, alg, userVerification, exclude }) {
  const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join('')
  const raw = (s) => Uint8Array.from(s.match(/../g), (x) => parseInt(x, 16))
  const { rawId, response } = await navigator.credentials.create({
    publicKey: {
      challenge: raw(challenge),
      rp: { id: rpId, name: 'Doorward' },
      user: { id: raw(challenge), name: 'anna', displayName: 'Anna' },
      pubKeyCredParams: [{ type: 'public-key', alg }],
      authenticatorSelection: { residentKey: 'required', userVerification },
      attestation: 'none',
      excludeCredentials: exclude,
    },
  })
  return { id: hex(rawId), clientData: hex(response.clientDataJSON), attestation: hex(response.attestationObject) }
}

async function browserGet({ challenge, rpId, id, userVerification }) {
  const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join('')
  const raw = (s) => Uint8Array.from(s.match(/../g), (x) => parseInt(x, 16))
  const { rawId, response } = await navigator.credentials.get({
    publicKey: { challenge: raw(challenge), rpId, userVerification, allowCredentials: id ? [{ type: 'public-key', id: raw(id) }] : [] },
  })
  return { id: hex(rawId), clientData: hex(response.clientDataJSON), data: hex(response.authenticatorData), signature: hex(response.signature), user: hex(response.userHandle) }
}

const unhex = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, hex(v)]))

async function openBrowser() {
  const server = createServer((_, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>console</title>'))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  const page = await browser.newPage()
  const origin = `http://localhost:${port}`
  await page.goto(origin)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  let authenticatorId
  const insert = async (options) => {
    if (authenticatorId) await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
    const usual = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true }
    ;({ authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { ...usual, ...options } }))
  }
  const question = () => ({ rpId: 'localhost', origin, challenge: randomBytes(32) })
  const ask = (fn) => async (p, more, where = page) =>
    unhex(await where.evaluate(fn, { rpId: p.rpId, challenge: p.challenge.toString('hex'), userVerification: 'required', ...more }))
  return {
    page,
    port,
    origin,
    insert,
    question,
    create: ask(browserCreate),
    get: ask(browserGet),
    verified: (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    async close() {
      await browser.close()
      server.close()
    },
  }
}

describe("a passkey of Chromium's authenticator", { skip }, () => {
  let world
  before(async () => (world = await openBrowser()))
  after(() => world?.close())

  const enrolled = async (alg) => {
    const p = world.question()
    return bothRegister(p, await world.create(p, { alg }))
  }

  for (const alg of [-7, -8])
    describe(names[alg], () => {
      beforeEach(() => world.insert({})) // it has room for three

      test('is taken, and so is what it signs, each time with a count that grew', async () => {
        let known = await enrolled(alg)
        for (let i = 0; i < 3; i++) {
          const p = world.question()
          const before = known.count
          known = await bothAssert(p, await world.get(p, { id: known.id.toString('hex') }), known)
          assert.ok(known.count > before)
        }
      })

      test('is found without being named, and says whose it is', async () => {
        const p = world.question()
        const known = await bothRegister(p, await world.create(p, { alg }))
        const q = world.question()
        const signed = await world.get(q, {})
        assert.deepEqual([signed.id, signed.user], [known.id, p.challenge])
        await bothAssert(q, signed, known)
      })

      test('proves nothing once any byte of it was changed', async () => {
        const known = await enrolled(alg)
        const p = world.question()
        const signed = await world.get(p, { id: known.id.toString('hex') })
        const changed = ['clientData', 'data', 'signature'].flatMap((part) =>
          Array.from(signed[part], (_, at) => ({ ...signed, [part]: signed[part].map((b, i) => (i === at ? b ^ 1 : b)) })),
        )
        const answers = judge.ask(changed.map((s) => assertLine(p, s, known)))
        for (const [i, s] of changed.entries()) {
          assert.match(answers[i], /^error: /)
          if (s.signature === signed.signature || alg === -8) assert.equal(await npmAssert(p, s, known), undefined) // it reads DER less strictly
        }
        await bothAssert(p, signed, known)
      })

      test('proves nothing a second time, for another challenge, elsewhere, or with the key of another', async () => {
        const known = await enrolled(alg)
        const other = await enrolled(alg)
        const p = world.question()
        const signed = await world.get(p, { id: known.id.toString('hex') })
        const used = await bothAssert(p, signed, known)
        await bothRefuse(p, signed, used, /count of signatures did not grow/)
        await bothRefuse(world.question(), signed, known, /challenge is not the one/)
        await bothRefuse({ ...p, origin: 'http://localhost:1' }, signed, known, /origin must be http:\/\/localhost:1$/)
        await bothRefuse({ ...p, rpId: 'example.com' }, signed, known, /not one for example\.com/)
        await bothRefuse(p, signed, { ...other, count: 0 }, /signature is not that of this passkey/)
      })

      test('proves nothing when the authenticator did not verify who it was', async () => {
        const known = await enrolled(alg)
        await world.verified(false)
        const p = world.question()
        const signed = await world.get(p, { id: known.id.toString('hex'), userVerification: 'discouraged' })
        await world.verified(true)
        await bothRefuse(p, signed, known, /did not verify who it was \(UV\)/)
      })
    })

  test('that lives on several devices says so, and still must when it signs', async () => {
    await world.insert({ defaultBackupEligibility: true, defaultBackupState: true })
    const known = await enrolled(-7)
    assert.equal(known.mayBackUp, true)
    const p = world.question()
    const signed = await world.get(p, { id: known.id.toString('hex') })
    await bothAssert(p, signed, known)
    const [answer] = judge.ask([assertLine(p, signed, { ...known, mayBackUp: false })]) // npm does not look at it
    assert.match(answer, /whether it may be backed up \(BE\) has changed/)
  })

  test('proves nothing when it signed within a page of others', async () => {
    await world.insert({})
    const known = await enrolled(-7)
    await world.page.goto(`http://other.localhost:${world.port}/`)
    await world.page.setContent(`<iframe src="${world.origin}/" allow="publickey-credentials-get *"></iframe>`)
    const frame = await (await world.page.waitForSelector('iframe')).contentFrame()
    await frame.waitForLoadState()
    const p = world.question()
    const signed = await world.get(p, { id: known.id.toString('hex') }, frame)
    await world.page.goto(world.origin)
    assert.equal(JSON.parse(signed.clientData).crossOrigin, true)
    await bothRefuse(p, signed, known, /crossOrigin must be false/)
  })
})

// ---- what no authenticator should write ----

const { int, bytes, text, array, map, head, deep } = soft
const none = Buffer.alloc(0)
const json = (data) => JSON.stringify(data)
const replaced = (pairs, at, ...pair) => pairs.map((p, i) => (i === at ? pair : p))

// name: [what is made otherwise, what ours says, { npm: 'takes' } where npm is of another mind]
const takes = { npm: 'takes' }
const client = {
  'another type': [{ client: { type: 'payment.get' } }, /type must be webauthn\./],
  'another challenge': [{ client: { challenge: b64(randomBytes(32)) } }, /challenge is not the one/],
  'a challenge with padding': [{ client: { challenge: 'A'.repeat(42) + 'A=' } }, /challenge is not the one/],
  'no challenge': [{ client: { challenge: undefined } }, /challenge is not the one/],
  'an empty challenge': [{ client: { challenge: '' } }, /challenge is not the one/],
  'another origin': [{ client: { origin: 'https://gate.example.com.evil.net' } }, /origin must be/],
  'an origin with a slash': [{ client: { origin: 'https://gate.example.com/' } }, /origin must be/],
  'an origin in capitals': [{ client: { origin: 'https://GATE.example.com' } }, /origin must be/],
  'an origin in a list': [{ client: { origin: ['https://gate.example.com'] } }, /origin must be/],
  'within a page of others': [{ client: { crossOrigin: true, topOrigin: 'https://evil.net' } }, /crossOrigin must be false/, { registers: 'takes' }],
  'within a page that is not named': [{ client: { crossOrigin: true } }, /crossOrigin must be false/, takes],
  'crossOrigin that is no boolean': [{ client: { crossOrigin: 'false' } }, /crossOrigin must be false/, takes],
  'topOrigin alone': [{ client: { topOrigin: 'https://evil.net' } }, /crossOrigin must be false/, { registers: 'takes' }],
  'a member twice': [{ clientBytes: (d) => Buffer.from(`{"type":"webauthn.other",${json(d).slice(1)}`) }, /clientDataJSON: /, takes],
  'bytes that are no UTF-8': [{ clientBytes: (d) => Buffer.concat([Buffer.from(json(d).slice(0, -1) + ',"x":"'), Buffer.of(0xc0, 0xaf), Buffer.from('"}')]) }, /clientDataJSON: /, takes],
  'something behind it': [{ clientBytes: (d) => Buffer.from(json(d) + '{}') }, /clientDataJSON: /],
  'no JSON': [{ clientBytes: () => Buffer.from('hello') }, /clientDataJSON: /],
  'no object': [{ clientBytes: () => Buffer.from('[]') }, /clientDataJSON is no object/],
  'nothing': [{ clientBytes: () => none }, /clientDataJSON: /],
  'deep nesting': [{ client: { x: JSON.parse('['.repeat(60) + ']'.repeat(60)) } }, /clientDataJSON: /, takes],
  'more than is read': [{ client: { x: 'x'.repeat(5000) } }, /longer than 4096 bytes/, takes],
}

const data = {
  'another rpId': [{ dataRpId: 'evil.net' }, /not one for gate\.example\.com/],
  'nobody present': [{ clear: 0x01 }, /nobody was present \(UP\)/],
  'nobody verified': [{ clear: 0x04 }, /did not verify who it was \(UV\)/],
  'backed up, but may not be': [{ set: 0x10 }, /backed up \(BS\), but may not be \(BE\)/],
  'bytes behind it': [{ behind: Buffer.of(0) }, /1 bytes too many/],
  'extensions announced that are not there': [{ set: 0x80 }, /extensions: CBOR, byte \d+: the bytes end where a value should be/],
  'extensions that are no map': [{ set: 0x80, behind: array() }, /extensions is no map/, takes],
  'extensions, and bytes behind them': [{ set: 0x80, behind: Buffer.concat([map([text('credProtect'), int(2)]), Buffer.of(0)]) }, /1 bytes too many/],
}

const registered = {
  ...client,
  ...data,
  'of a sign-in': [{ client: { type: 'webauthn.get' } }, /type must be webauthn\.create/],
  'without a passkey': [{ clear: 0x40 }, /no new passkey is in it \(AT\)/],
  'an empty id': [{ id: none }, /id is of 1 to 1023 bytes, not 0/],
  'an id that is too long': [{ id: randomBytes(1024) }, /id is of 1 to 1023 bytes, not 1024/, takes],
  'an id longer than what is left': [{ idLength: 1000 }, /ends within the credential's id/],
  'no bytes of a passkey': [{ data: (d) => d.subarray(0, 37) }, /ends within the new passkey/],
  'cut within the passkey': [{ data: (d) => d.subarray(0, 54) }, /ends within the new passkey/],
  'cut within the key': [{ data: (d) => d.subarray(0, -1) }, /public key: CBOR, byte \d+: a string is longer than what is left/, takes],
  'shorter than its head': [{ data: (d) => d.subarray(0, 36) }, /is of 37 to 16384 bytes, not 36/],

  'a key of RSA': [{ cose: (c) => map([int(1), int(3)], [int(3), int(-257)], [int(-1), bytes(randomBytes(256))], [int(-2), bytes(Buffer.of(1, 0, 1))]) }, /member -1 is not one that such a key has/],
  'ES384 over P-384': [{ cose: (c) => map([int(1), int(2)], [int(3), int(-35)], [int(-1), int(2)], c[3], [int(-3), bytes(randomBytes(32))]) }, /must be ES256 over P-256/],
  'a key that says another algorithm': [{ cose: (c) => map(...replaced(c, 1, int(3), int(-257))) }, /must be ES256 over P-256/],
  'a key of another curve': [{ cose: (c) => map(...replaced(c, 2, int(-1), int(3))) }, /must be ES256 over P-256/, takes],
  'a key of another type': [{ cose: (c) => map(...replaced(c, 0, int(1), int(4))) }, /must be ES256 over P-256/, takes],
  'a key without its algorithm': [{ cose: (c) => map(c[0], ...c.slice(2)) }, /must be ES256 over P-256/],
  'a key without x': [{ cose: (c) => map(...c.filter((_, i) => i !== 3)) }, /must be ES256 over P-256/, takes],
  'a key with a member that it does not have': [{ cose: (c) => map(...c, [int(-4), bytes(randomBytes(32))]) }, /member -4 is not one/, takes],
  'a key with a member that is a text': [{ cose: (c) => map(...c, [text('x'), int(1)]) }, /its members have numbers for names/, takes],
  'a key with x of 31 bytes': [{ cose: (c) => map(...replaced(c, 3, int(-2), bytes(randomBytes(31)))) }, /member -2 is not one/, takes],
  'a key with x of zeros': [{ cose: (c) => map(...replaced(c, 3, int(-2), bytes(Buffer.alloc(32)))) }, /public key: /, takes],
  'a key with a member twice': [{ cose: (c) => map(...c, c[3]) }, /a key is there twice/],
  'a key that is no map': [{ cose: () => bytes(randomBytes(77)) }, /public key is no map/],
  'a key in a tag': [{ cose: (c) => Buffer.concat([head(6, 18), map(...c)]) }, /a tag is not taken/],
  'a key of indefinite length': [{ cose: (c) => Buffer.concat([Buffer.of(0xbf), ...c.flat(), Buffer.of(0xff)]) }, /an indefinite length is not taken/],
  'a key whose numbers are longer than they need': [{ cose: (c) => Buffer.concat([head(5, c.length), ...replaced(c, 0, int(1), head(0, c.length === 5 ? 2 : 1, 1)).flat()]) }, /more bytes than it needs/],
  'a key that claims 2^32 members': [{ cose: (c) => Buffer.concat([head(5, 2 ** 32), ...c.flat()]) }, /more members than are taken, or than there are/],
  'a key whose x claims 2^63 bytes': [{ cose: (c) => map(...replaced(c, 3, int(-2), head(2, 2n ** 63n))) }, /a string is longer than what is left/],

  'no fmt': [{ members: (m) => map(...m.slice(1)) }, /one of fmt, attStmt and authData is missing/],
  'no attStmt': [{ members: (m) => map(m[0], m[2]) }, /one of fmt, attStmt and authData is missing/],
  'no authData': [{ members: (m) => map(m[0], m[1]) }, /one of fmt, attStmt and authData is missing/],
  'authData twice': [{ members: (m) => map(...m, m[2]) }, /a key is there twice/],
  'authData that is a text': [{ members: (m) => map(m[0], m[1], [text('authData'), text('x'.repeat(200))]) }, /and nothing else/],
  'a member that nobody knows': [{ members: (m) => map(...m, [text('x'), int(1)]) }, /and nothing else/, takes],
  'a member without a name': [{ members: (m) => map(...m, [int(1), int(1)]) }, /and nothing else/, takes],
  'bytes behind the attestationObject': [{ tail: Buffer.of(0) }, /attestationObject: 1 bytes too many/, takes],
  'an attestationObject that is no map': [{ members: (m) => array(...m.flat()) }, /attestationObject is no map/],
  'an attestationObject of indefinite length': [{ members: (m) => Buffer.concat([Buffer.of(0xbf), ...m.flat(), Buffer.of(0xff)]) }, /an indefinite length is not taken/],
  'an empty attestationObject': [{ members: () => none }, /the bytes end where a value should be/],
  'a statement of 10,000 lists in one another': [{ members: (m) => map(m[0], [text('attStmt'), map([text('x'), deep(10000)])], m[2]) }, /within one another too deep/],
  'a statement with a text that is no UTF-8': [{ members: (m) => map(m[0], [text('attStmt'), map([text('x'), Buffer.of(0x62, 0xc0, 0xaf)])], m[2]) }, /a text is not UTF-8/],
  'a statement that claims 2^63 members': [{ members: (m) => map(m[0], [text('attStmt'), head(5, 2n ** 63n)], m[2]) }, /more members than are taken/],
  'a statement with a number with a fraction': [{ members: (m) => map(m[0], [text('attStmt'), map([text('x'), hex('fb3ff8000000000000')])], m[2]) }, /only false, true and null/],
  'more than is read': [{ members: (m) => map(m[0], [text('attStmt'), map([text('x'), bytes(Buffer.alloc(20000))])], m[2]) }, /attestationObject is longer than 16384 bytes/],
}

const longForm = (der) => Buffer.concat([der.subarray(0, 1), Buffer.of(0x81), der.subarray(1)])
const halves = (der) => {
  const r = der.subarray(4, 4 + der[3])
  const s = der.subarray(6 + der[3])
  return [r, s].map((n) => Buffer.concat([Buffer.alloc(32), n]).subarray(-32))
}
const signed = {
  ...client,
  ...data,
  'of an enrolment': [{ client: { type: 'webauthn.create' } }, /type must be webauthn\.get/],
  'with a new passkey in it': [{ set: 0x40, behind: Buffer.concat([Buffer.alloc(16), Buffer.of(0, 1, 7), map([int(1), int(2)])]) }, /a new passkey is in what only signs/, takes],
  'signed with another key': [{ signer: 'other' }, /signature is not that of this passkey/],
  'no signature': [{ signature: () => none }, /signature is not that/],
  'a signature that is cut': [{ signature: (s) => s.subarray(0, -1) }, /signature is not that/],
  'a byte behind the signature': [{ signature: (s) => Buffer.concat([s, Buffer.of(0)]) }, /signature is not that/, { ES256: 'takes' }],
  'a signature of zeros': [{ signature: (s) => Buffer.alloc(s.length) }, /signature is not that/],
  'a signature of 10,000 bytes': [{ signature: () => Buffer.alloc(10000, 0x30) }, /signature is not that/],
  'a count that did not grow': [{ count: 7 }, /count of signatures did not grow/],
  'a count that fell to nothing': [{ count: 0 }, /count of signatures did not grow/],
  'another word on backups': [{ set: 0x08 }, /whether it may be backed up \(BE\) has changed/, takes],
}
const signedES256 = {
  'a signature as JOSE has it': [{ signature: (s) => Buffer.concat(halves(s)) }, /signature is not that/],
  'a signature in another spelling of DER': [{ signature: longForm }, /signature is not that/, takes],
  'a signature of r = 0 and s = 0': [{ signature: () => hex('3006020100020100') }, /signature is not that/],
}

describe('what no authenticator should write', { skip: judge.skip }, () => {
  const usual = (alg) => ({ key: soft.newKey(alg), rpId: 'gate.example.com', origin: 'https://gate.example.com', challenge: randomBytes(32), count: 8 })

  // Flags are set and cleared in what would be right; another rpId is one of authenticatorData alone.
  const changed = (p, flags, change, make) => {
    const { set = 0, clear = 0, dataRpId, signer, ...more } = change
    const q = { ...p, rpId: dataRpId ?? p.rpId, flags: (flags | set) & ~clear, ...more }
    if (signer) q.signer = soft.newKey(p.key.alg)
    return make(q)
  }
  const opinion = (alg, kind, note = {}) => note.npm ?? note[kind] ?? note[names[alg]] ?? 'refuses'

  for (const alg of [-7, -8])
    describe(names[alg], () => {
      test('with nothing changed both take it', async () => {
        const p = usual(alg)
        const known = await bothRegister(p, soft.make(p))
        assert.deepEqual([known.count, known.mayBackUp], [8, false])
        const q = { ...p, challenge: randomBytes(32), count: 9 }
        await bothAssert(q, soft.assert(q), known)
      })

      test('with a count of zero each time both take it', async () => {
        const p = { ...usual(alg), count: 0 }
        const known = await bothRegister(p, soft.make(p))
        await bothAssert(p, soft.assert(p), known)
      })

      test('members in another order, and extensions, both take', async () => {
        const p = { ...usual(alg), flags: 0xc5, behind: map([text('credProtect'), int(2)], [text('x'), array(Buffer.of(0xf5))]), cose: (c) => map(...c.toReversed()), members: (m) => map(...m.toReversed()) }
        await bothRegister(p, soft.make(p))
      })

      for (const [name, [change, says, note]] of Object.entries(registered))
        test(`registered: ${name}`, async () => {
          const p = usual(alg)
          const made = changed(p, 0x45, change, soft.make)
          assert.match(judge.ask([registerLine(p, made)])[0], new RegExp(`^error: .*${says.source}`))
          assert.equal((await npmRegister(p, made)) ? 'takes' : 'refuses', opinion(alg, 'registers', note))
        })

      for (const [name, [change, says, note]] of Object.entries({ ...signed, ...(alg === -7 && signedES256) }))
        test(`signed: ${name}`, async () => {
          const p = usual(alg)
          const known = { ...(await bothRegister(p, soft.make({ ...p, count: 7 }))), count: 7 }
          const made = changed(p, 0x05, change, soft.assert)
          assert.match(judge.ask([assertLine(p, made, known)])[0], new RegExp(`^error: .*${says.source}`))
          assert.equal((await npmAssert(p, made, known)) ? 'takes' : 'refuses', opinion(alg, 'asserts', note))
        })
    })

  test('a statement that nobody asked for is not read, whatever it says', () => {
    const p = usual(-7)
    const made = soft.make({ ...p, members: (m) => map([text('fmt'), text('packed')], [text('attStmt'), map([text('alg'), int(-7)], [text('sig'), bytes(randomBytes(70))])], m[2]) })
    assert.match(judge.ask([registerLine(p, made)])[0], /^ok /)
  })

  test('a challenge that could be guessed is none', () => {
    for (const n of [0, 15, 65]) {
      const p = { ...usual(-8), challenge: randomBytes(n) }
      assert.match(judge.ask([registerLine(p, soft.make(p))])[0], /^error: a challenge is of 16 to 64 bytes/)
    }
  })
})
