// What is sealed: no file tells it without the keys, an operator with the role admin can have it shown, and once its subject is
// forgotten nobody can; entries and proofs stay as they are.
// areas: audit, admin, gate
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DESK, startGate, TOP, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent } from './lib/oauth.mjs'

const VIEWER = 'opt_viewer_0123456789abcdef', OPERATOR = 'opt_operator_0123456789abcdef'
// Words that stand for a person's data, each of them nowhere else.
const ANN = { email: 'zq7-ann@example.com', name: 'Zq7ann Doe', why: 'zq7-because-of-ann' }
const BOB = { email: 'zq7-bob@example.com', name: 'Zq7bob Roe', why: 'zq7-because-of-bob' }
const ASKING = { command: [process.execPath, join(TOP, 'tests/integration/lib/asking_server.mjs'), 'legacy-stdio'] }
let gate, agent, book

before(async () => {
  process.env.PRIVACY_VIEWER = VIEWER
  process.env.PRIVACY_OPERATOR = OPERATOR
  book = ledger()
  gate = await startGate({ servers: { desk: DESK, book: book.server, asking: ASKING }, audit: { seal: ['*e-mail*', 'customer', 'user'] },
    operators: [{ name: 'vera', token: '${PRIVACY_VIEWER}', role: 'viewer' }, { name: 'otto', token: '${PRIVACY_OPERATOR}', role: 'operator' }],
    log: { level: 'debug', access: 'stderr' }, session: { rate: '10000/minute' } })
  agent = await newAgent(gate, 'sealing', { allowedTools: ['asking/ask', 'book/raw', 'book/login', 'book/deep', 'book/write'], maxConcurrentSessions: 50 })
})
after(async () => gate?.stop())

const args = (who) => ({ Email: who.email, customer: { name: who.name, notes: [1, null, { deep: who.why }] }, order: 'ORD-1' })
const token = (user) => gate.open(agent, '--user', user).access_token
const canonical = (v) =>
  Array.isArray(v) ? `[${v.map(canonical)}]`
  : v && typeof v === 'object' ? `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`)}}`
  : JSON.stringify(v)
const sha = (v) => createHash('sha256').update(canonical(v)).digest('hex')

async function call(user, who, tool = 'book__raw', given = args(who)) {
  const before = gate.audit().length
  const answer = await gate.call(token(user), tool, given, { meta: { 'dev.doorward/reasoning': `${who.why} it is` } })
  await until('the outcome on record', () => gate.audit().slice(before).some((e) => ['TOOL_RESULT', 'TOOL_DENIED'].includes(e.event)))
  return { answer, entries: gate.audit().slice(before).filter((e) => e.event.startsWith('TOOL_')) }
}

const files = (dir) => readdirSync(dir, { recursive: true }).map((f) => join(dir, f)).filter((f) => statSync(f).isFile())
// The words that stand in any file below the folder, in any of the forms that a program may keep text in.
function found(dir, words) {
  const hits = []
  for (const file of files(dir)) {
    const bytes = readFileSync(file)
    for (const w of words)
      for (const form of [Buffer.from(w), Buffer.from(w, 'utf16le'), Buffer.from(Buffer.from(w).toString('base64').slice(0, -4)), Buffer.from(Buffer.from(w).toString('hex'))])
        if (bytes.includes(form)) hits.push(`${w} in ${file}`)
  }
  return hits
}
const reveal = (seq, how = {}) => gate.operator('POST', '/audit/reveal', { seq }, how)

test('an entry holds commitments, and no file of the data folder holds the values', async () => {
  const { answer, entries } = await call('usr_ann', ANN)
  assert.equal(answer.status, 200)
  assert.match(answer.text, /zq7-ann@example.com/) // the server got it
  const [intent, outcome] = entries
  assert.deepEqual(intent.parameters, { Email: '[sealed]', customer: '[sealed]', order: 'ORD-1' })
  assert.equal(intent.reasoning, '[sealed]')
  assert.deepEqual(intent.sealed.map((s) => [s.path, s.subject]),
    [['/parameters/Email', 'user:usr_ann'], ['/parameters/customer', 'user:usr_ann'], ['/reasoning', 'user:usr_ann']])
  for (const s of intent.sealed) assert.match(s.commitment, /^[0-9a-f]{64}$/)
  assert.equal(outcome.event, 'TOOL_RESULT')
  assert.equal(outcome.reasoning, '[sealed]')
  assert.equal(outcome.digest, intent.digest) // that the two belong together is still seen
  await call('usr_bob', BOB)
  await gate.operator('GET', '/status')
  assert.deepEqual(found(join(gate.dir, 'data'), Object.values({ ...ANN, b: BOB.email, c: BOB.name, d: BOB.why })), [])
  assert.doesNotMatch(gate.log, /zq7/i)
})

test('who tries all values finds none by a digest', async () => {
  const all = gate.audit()
  const guesses = [ANN, BOB].flatMap((w) => [sha(args(w)), sha(w.email), sha(args(w).customer), createHash('sha256').update(w.email).digest('hex')])
  for (const guess of guesses) assert.ok(!JSON.stringify(all).includes(guess))
})

test('a value that does not fit the schema is not told by the reason', async () => {
  const { answer, entries } = await call('usr_ann', ANN, 'book__deep', { customer: { age: 98765 } })
  assert.match(answer.text, /98765/) // the agent may know: it sent it
  const [denied] = entries
  assert.equal(denied.event, 'TOOL_DENIED')
  assert.deepEqual(denied.parameters, { customer: '[sealed]' })
  assert.match(denied.policyDecision.reason, /customer.*age/)
  assert.doesNotMatch(JSON.stringify(denied), /98765/)
})

test('an operator with the role admin has it shown, and that is on record', async () => {
  const intent = gate.audit().find((e) => e.event === 'TOOL_CALL' && e.triggerUserId === 'usr_ann')
  const shown = gate.json(['audit', 'show', String(intent.seq), '--reveal'])
  assert.deepEqual(shown.entry, intent)
  assert.deepEqual(shown.values, [
    { path: '/parameters/Email', subject: 'user:usr_ann', value: ANN.email },
    { path: '/parameters/customer', subject: 'user:usr_ann', value: args(ANN).customer },
    { path: '/reasoning', subject: 'user:usr_ann', value: `${ANN.why} it is` }])
  const words = gate.cli(['audit', 'show', String(intent.seq), '--reveal', '-c', gate.file]).stdout
  assert.match(words, /\/parameters\/Email {2}zq7-ann@example\.com/)
  const on = gate.audit().filter((e) => e.event === 'SEALED_SHOWN')
  assert.equal(on.length, 2)
  assert.deepEqual([on[0].actor, on[0].actorType, on[0].details, on[0].result], ['operator', 'HUMAN', { seq: intent.seq }, 'success'])
  for (const who of [VIEWER, OPERATOR]) {
    assert.equal((await reveal(intent.seq, { token: who })).status, 403)
    assert.equal((await gate.operator('POST', '/audit/forget', { subject: 'user:usr_ann' }, { token: who })).status, 403)
  }
  assert.equal((await reveal(1)).status, 404) // nothing in it is sealed
  assert.equal((await reveal(999999)).status, 404)
  assert.equal((await reveal('one')).status, 400)
  assert.deepEqual(found(join(gate.dir, 'data'), [ANN.email]), []) // not because it was shown, either
})

// ---- the files by their description alone (src/audit/seal_*.c), with node's crypto ----

const hmac = (key, what) => createHmac('sha256', key).update(what).digest()

// C2SP XAES-256-GCM
function open(key, nonce, aad, sealed) {
  const block = (b) => {
    const c = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    return c.update(b)
  }
  const l = BigInt(`0x${block(Buffer.alloc(16)).toString('hex')}`)
  const k1 = ((l << 1n) & ((1n << 128n) - 1n)) ^ (l >> 127n ? 0x87n : 0n)
  const half = (i) => {
    const m = BigInt(`0x${Buffer.concat([Buffer.from([0, i, 0x58, 0]), nonce.subarray(0, 12)]).toString('hex')}`)
    return block(Buffer.from((m ^ k1).toString(16).padStart(32, '0'), 'hex'))
  }
  const c = createDecipheriv('aes-256-gcm', Buffer.concat([half(1), half(2)]), nonce.subarray(12))
  c.setAAD(aad)
  c.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([c.update(sealed.subarray(0, -16)), c.final()])
}

function frames(bytes) {
  const all = []
  for (let at = 0; at + 64 <= bytes.length; ) {
    assert.equal(bytes.toString('latin1', at, at + 4), 'DWSV')
    const n = bytes.readUInt32LE(at + 4)
    all.push({ index: bytes.readUInt32LE(at + 12), seq: Number(bytes.readBigUInt64LE(at + 16)), nonce: bytes.subarray(at + 40, at + 64),
               sealed: bytes.subarray(at + 64, at + 64 + n) })
    at += Math.ceil((64 + n) / 8) * 8
  }
  return all
}

test('another program with the key opens the store, and every commitment is that of the value', () => {
  const audit = join(gate.dir, 'data/audit')
  const root = Buffer.from(readFileSync(join(gate.dir, 'audit-keys/seal.key'), 'utf8').trim(), 'hex')
  const all = readdirSync(join(audit, 'sealed')).flatMap((f) => frames(readFileSync(join(audit, 'sealed', f))))
  let seen = 0
  for (const e of gate.audit()) {
    for (const [index, s] of (e.sealed ?? []).entries()) {
      const name = hmac(hmac(root, 'doorward seal name'), s.subject)
      const file = readFileSync(join(audit, 'subjects', name.toString('hex').slice(0, 2), name.toString('hex').slice(2)))
      const key = open(hmac(root, 'doorward seal wrap'), file.subarray(24, 48), Buffer.concat([Buffer.from('DWSUBJ01'), name, file.subarray(8, 24)]),
        file.subarray(48))
      const frame = all.find((f) => f.seq === e.seq && f.index === index)
      const head = Buffer.alloc(32)
      head.write('DWSEAL01')
      head.writeBigUInt64LE(BigInt(e.seq), 8)
      head.writeBigUInt64LE(BigInt(Buffer.byteLength(s.path)), 16)
      head.writeBigUInt64LE(BigInt(Buffer.byteLength(s.subject)), 24)
      const plain = open(hmac(key, 'doorward sealed value'), frame.nonce, Buffer.concat([head, Buffer.from(s.path), Buffer.from(s.subject)]), frame.sealed)
      assert.equal(hmac(plain.subarray(0, 32), plain.subarray(32)).toString('hex'), s.commitment)
      if (s.path === '/parameters/Email') {
        const who = s.subject === 'user:usr_ann' ? ANN : BOB
        assert.deepEqual(JSON.parse(plain.subarray(32)), who.email)
        assert.equal(e.digest, hmac(hmac(key, 'doorward sealed digest'), sha(args(who))).toString('hex'))
      }
      seen++
    }
  }
  assert.ok(seen >= 10)
})

test('what is forgotten stays so: nobody is shown it, and the record still holds', async () => {
  const of = (user) => gate.audit().findLast((e) => e.event === 'TOOL_CALL' && e.triggerUserId === user)
  const ann = of('usr_ann'), bob = of('usr_bob')
  const before = gate.audit()
  assert.equal(gate.cli(['audit', 'forget', 'user:usr_ann', '-c', gate.file], { ok: false }).status === 0, false) // nobody said yes
  assert.equal((await reveal(ann.seq)).json.values[0].value, ANN.email)
  const many = before.filter((e) => e.sealed?.[0]?.subject === 'user:usr_ann').length
  assert.deepEqual((await gate.operator('GET', '/audit/sealed?subject=user%3Ausr_ann')).json, { all: true, entries: many, subject: 'user:usr_ann' })
  assert.equal(gate.cli(['audit', 'forget', 'user:usr_ann', '--yes', '-c', gate.file]).stdout,
    `user:usr_ann is forgotten: what is sealed for it in ${many} entries can be read by nobody any more\n`)
  assert.equal((await gate.operator('GET', '/audit/sealed?subject=user%3Ausr_ann')).status, 404)
  const { json } = await reveal(ann.seq)
  assert.deepEqual(json.values.map((v) => [v.path, v.forgotten, 'value' in v]),
    [['/parameters/Email', true, false], ['/parameters/customer', true, false], ['/reasoning', true, false]])
  assert.match(gate.cli(['audit', 'show', String(ann.seq), '--reveal', '-c', gate.file]).stdout, /forgotten: the key of user:usr_ann was destroyed/)
  assert.equal((await reveal(bob.seq)).json.values[0].value, BOB.email)
  const on = await gate.recorded('that it was forgotten', (e) => e.event === 'SUBJECT_FORGOTTEN')
  assert.deepEqual([on.actor, on.actorType, on.details], ['operator', 'HUMAN', { subject: 'user:usr_ann' }])
  assert.equal((await gate.operator('POST', '/audit/forget', { subject: 'user:usr_ann' })).status, 404)
  assert.equal((await gate.operator('POST', '/audit/forget', { subject: 'usr_ann' })).status, 400)
  assert.deepEqual(gate.audit().slice(0, before.length), before) // not a byte of an entry changed
  gate.cli(['audit', 'verify', '-c', gate.file])
})

test('what the same user does afterwards is sealed with another key, also after a restart', async () => {
  const { entries: [intent] } = await call('usr_ann', ANN)
  assert.equal((await reveal(intent.seq)).json.values[0].value, ANN.email)
  const old = gate.audit().find((e) => e.event === 'TOOL_CALL' && e.triggerUserId === 'usr_ann')
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await gate.start()
  assert.equal((await reveal(intent.seq)).json.values[0].value, ANN.email)
  assert.equal((await reveal(old.seq)).json.values[0].forgotten, true)
  const { entries: [next] } = await call('usr_ann', ANN)
  assert.equal((await reveal(next.seq)).json.values[0].value, ANN.email)
  assert.deepEqual(found(join(gate.dir, 'data'), [ANN.email, ANN.name, ANN.why]), [])
  gate.cli(['audit', 'verify', '-c', gate.file])
})

test('what policies changed is sealed as it was before', async () => {
  writeFileSync(join(gate.dir, 'change.cedar'), `permit (principal, action, resource);
    @id("other-user") @set("input.user = \\"nobody\\"") permit (principal, action == Action::"login", resource);`)
  gate.write({ policy: { files: [{ file: 'change.cedar' }] } })
  gate.cli(['reload', '-c', gate.file])
  const { answer, entries: [intent] } = await call('usr_bob', BOB, 'book__login', { user: BOB.email, password: 'long enough to pass' })
  assert.equal(answer.status, 200)
  assert.equal(intent.parameters.user, '[sealed]')
  assert.equal(intent.details.judged.user, '[sealed]')
  assert.notEqual(intent.details.digest, sha({ password: 'long enough to pass', user: BOB.email }))
  const { values } = (await reveal(intent.seq)).json
  assert.deepEqual(values.slice(0, 2).map((v) => [v.path, v.value]), [['/parameters/user', 'nobody'], ['/details/judged/user', BOB.email]])
  assert.deepEqual(found(join(gate.dir, 'data'), [BOB.email]), [])
})

test('a long entry keeps nothing in clear in the files of its long members', async () => {
  const long = Array.from({ length: 2000 }, (_, i) => ({ 'e-mail': `zq7-${i}@example.com`, line: 'x'.repeat(50) }))
  const { entries: [intent] } = await call('usr_bob', BOB, 'book__raw', { long, customer: BOB.name.repeat(5000), rest: 'y'.repeat(80000) })
  assert.deepEqual(found(join(gate.dir, 'data'), ['zq7-7@example.com', 'zq7-1999@example.com', BOB.name]), [])
  const { values } = (await reveal(intent.seq)).json
  assert.deepEqual(values[0], { path: '/parameters', subject: 'user:usr_bob', value: { customer: BOB.name.repeat(5000), long, rest: 'y'.repeat(80000) } })
  gate.cli(['audit', 'verify', '-c', gate.file])
})

test('what a server asks in the middle of such a call is sealed, too', async () => {
  gate.write({ audit: { seal: ['what'] }, policy: undefined })
  gate.cli(['reload', '-c', gate.file])
  const client = await gate.modernClient(token('usr_ann'), '/mcp', { pin: '2026-07-28' }, { elicitation: { form: {} } })
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: ANN.name } }))
  const { content } = await client.callTool({ name: 'asking__ask', arguments: { what: ['form'] } })
  assert.match(content[0].text, /Zq7ann/)
  await client.close()
  const asked = await gate.recorded('what was asked', (e) => e.event === 'INPUT_ASKED')
  assert.deepEqual(asked.parameters, { method: 'elicitation/create', params: '[sealed]' })
  assert.equal((await reveal(asked.seq)).json.values[0].value.message, 'Your name?')
  assert.deepEqual(found(join(gate.dir, 'data'), [ANN.name]), [])
})

test('a call whose values cannot be sealed is not made', async () => {
  gate.write({ audit: { seal: ['line'] } })
  gate.cli(['reload', '-c', gate.file])
  assert.equal((await gate.call(token('usr_eve'), 'book__write', { line: 'zq7-first' })).status, 200)
  const before = new Set(files(join(gate.dir, 'data/audit/subjects')))
  assert.equal((await gate.call(token('usr_mal'), 'book__write', { line: 'zq7-second' })).status, 200)
  const [key] = files(join(gate.dir, 'data/audit/subjects')).filter((f) => !before.has(f))
  writeFileSync(key, 'no key at all')
  gate.daemon.kill('SIGTERM')
  await gate.exited
  await gate.start()
  const refused = await gate.call(token('usr_mal'), 'book__write', { line: 'zq7-third' })
  assert.equal(refused.status, 503)
  // one that is refused anyway is on record, without them
  assert.match((await gate.call(token('usr_mal'), 'book__write', { line: ['zq7-fifth'] })).text, /schema_mismatch|inputSchema|must be/)
  const denied = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.triggerUserId === 'usr_mal')
  assert.deepEqual([denied.parameters, denied.digest, denied.sealed], ['[masked]', null, null])
  assert.match(gate.log, /audit_not_sealed/)
  assert.equal((await gate.call(token('usr_eve'), 'book__write', { line: 'zq7-fourth' })).status, 200)
  assert.deepEqual(book.lines(), ['zq7-first', 'zq7-second', 'zq7-fourth'])
  assert.deepEqual(found(join(gate.dir, 'data'), ['zq7-first', 'zq7-second', 'zq7-third', 'zq7-fourth', 'zq7-fifth']), [])
})
