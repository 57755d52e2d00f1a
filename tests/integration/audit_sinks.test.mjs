// Where the record is sent, seen from a webhook: every entry, in order, at least once, however dead, slow or lying the other side is;
// and nobody who calls notices.
// areas: sink, audit, daemon
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { authority } from './lib/certs.mjs'
import { DESK, startGate, until } from './lib/gate.mjs'
import { deaf, httpReceiver, inOrder, sinkOf, webhook } from './lib/sinks.mjs'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
process.env.HOOK_SECRET = secret // of the daemon and the command line
const CALLS = { servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, limits: { agent_rate: 'none' } }
const to = (receiver, more = {}) => ({ kind: 'webhook', url: receiver.url + '/hook', secret: '${HOOK_SECRET}', ...more })
const start = (sinks, more = {}) => startGate({ ...CALLS, ...more, sinks })
const order = { orderId: 'ORD-A1B2C3D4' }

async function calls(gate, n, token) {
  token ??= gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  for (let i = 0; i < n; i++) await gate.call(token, 'desk__lookup_order', order)
  return token
}
const caughtUp = (gate, name) => until(`${name} to have caught up`, async () => {
  const sink = await sinkOf(gate, name)
  return sink?.behind === 0 && sink.sent >= gate.audit().at(-1).seq && sink
})
const failed = (gate, name) => until(`the fault of ${name}`, async () => {
  const sink = await sinkOf(gate, name)
  return sink?.fault && sink
})

test('a webhook gets every entry once, signed, with an id of its own', async () => {
  const hook = await webhook({ secret })
  const gate = await start({ hook: to(hook, { headers: { authorization: '${HOOK_SECRET}' } }) })
  try {
    await calls(gate, 10)
    const sink = await caughtUp(gate, 'hook')
    assert.deepEqual(hook.entries, gate.audit())
    assert.equal(new Set(hook.ids).size, hook.ids.length)
    assert.deepEqual([sink.kind, sink.up, sink.failures, sink.fault], ['webhook', true, 0, ''])
    assert.ok(Date.parse(sink.lastDeliveryAt) > Date.now() - 60000)
    const [first] = hook.requests
    assert.deepEqual([first.method, first.url, first.headers['content-type'], first.headers.authorization], ['POST', '/hook', 'application/json', secret])
    assert.match(first.headers['user-agent'], /^doorward\//)
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('the last entry, that the gateway stopped, still arrives', async () => {
  const hook = await webhook({ secret })
  const gate = await start({ hook: to(hook) })
  await gate.stop()
  assert.equal(hook.entries.at(-1).event, 'GATEWAY_STOPPED')
  await hook.close()
})

test('what is not taken is tried again, with the same id, and those behind it wait', async () => {
  const refused = new Map()
  const hook = await webhook({ secret, answer: (r) => { // each twice, in different ways
    const id = r.headers['webhook-id'], n = (refused.get(id) ?? 0) + 1
    refused.set(id, n)
    return n > 2 ? 200 : [400, 500, 301, 404][id.length % 4]
  } })
  const gate = await start({ hook: to(hook, { events: ['GATEWAY_*', 'AGENT_*'] }) })
  try {
    await gate.agent({ allow: ['desk/lookup_order'] })
    await caughtUp(gate, 'hook')
    assert.deepEqual(hook.entries.map((e) => e.event), ['GATEWAY_STARTED', 'AGENT_CREATED'])
    assert.ok([...refused.values()].every((n) => n === 3))
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('a redirect is not followed, so that what is signed for one host goes to no other', async () => {
  const elsewhere = await httpReceiver(() => 200)
  const hook = await webhook({ secret, answer: () => ({ status: 307, headers: { location: elsewhere.url } }) })
  const gate = await start({ hook: to(hook) })
  try {
    assert.match((await failed(gate, 'hook')).fault, /answered 307, a redirect, which is not followed/)
    await until('some more', () => hook.requests.length > 3)
    assert.equal(elsewhere.requests.length, 0)
  } finally {
    await gate.stop()
    await Promise.all([hook.close(), elsewhere.close()])
  }
})

test('who answers 410, or asks for time, is left alone', async () => {
  const gone = await webhook({ secret, answer: () => 410 })
  const later = await webhook({ secret, answer: () => ({ status: 429, headers: { 'retry-after': '3600' } }) })
  const gate = await start({ gone: to(gone), later: to(later) })
  try {
    await failed(gate, 'gone')
    await failed(gate, 'later')
    await calls(gate, 5)
    await new Promise((done) => setTimeout(done, 1500))
    assert.deepEqual([gone.requests.length, later.requests.length], [1, 1])
    await until('the log', () => gate.log.match(/"sink_gone"/g)?.length === 2)
  } finally {
    const begun = Date.now()
    await gate.stop()
    assert.ok(Date.now() - begun < 3000) // nor does the end wait
    await Promise.all([gone.close(), later.close()])
  }
})

// Says yes and does not finish, talks without end, or answers with something that is no HTTP.
function liar({ res }, turn) {
  if (turn % 3 === 2) res.socket.end('yes, yes\r\n\r\n')
  else if (turn % 3 === 1) res.writeHead(200).end('x'.repeat(1 << 20))
  else {
    res.writeHead(200, { 'content-length': 1000 }).write('half')
    setTimeout(() => res.socket?.destroy(), 20)
  }
}

test('a dead, a slow and a lying sink slow no call down, lose no entry, and are seen', async () => {
  const nobody = await deaf(), slow = await webhook({ secret, answer: () => new Promise((done) => setTimeout(done, 50, 200)) })
  let honest = false, lies = 0
  const lying = await webhook({ secret, answer: (r) => honest ? 200 : liar(r, lies++) })
  const good = await webhook({ secret })
  const port = good.port
  await good.close()
  const gate = await start({})
  let back
  try {
    const token = await calls(gate, 20)
    gate.write({ sinks: { dead: { ...to(good), timeout: '1s' }, deaf: { ...to(nobody), url: `http://127.0.0.1:${nobody.port}/`, timeout: '1s' },
                          slow: to(slow), lying: to(lying, { timeout: '500ms' }) } })
    gate.cli(['reload', '-c', gate.file])
    for (const name of ['dead', 'deaf', 'lying']) await failed(gate, name)
    const begun = performance.now()
    await calls(gate, 100, token)
    const took = performance.now() - begun // the slow one alone needs 50 ms for each of their 200 entries
    assert.ok(took < 5000, `100 calls took ${took} ms: they wait for sinks`)
    const states = (await gate.operator('GET', '/status')).json.sinks
    assert.deepEqual(states.map((s) => [s.name, s.up]), [['dead', false], ['deaf', false], ['slow', true], ['lying', false]])
    assert.ok(states.every((s) => s.behind > 50), JSON.stringify(states))
    const metrics = await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text()
    assert.match(metrics, /^doorward_audit_sink_up\{sink="dead"\} 0$/m)
    assert.match(metrics, /^doorward_audit_sink_up\{sink="slow"\} 1$/m)
    assert.match(metrics, /^doorward_audit_sink_behind_entries\{sink="deaf"\} [1-9]\d+$/m)
    assert.match(metrics, /^doorward_audit_sink_failures_total\{sink="dead"\} [1-9]\d*$/m)
    const verbose = await (await fetch(`${gate.url}/readyz?verbose`)).json()
    assert.deepEqual(verbose.sinks.map((s) => [s.name, s.up]), states.map((s) => [s.name, s.up]))
    assert.ok(verbose.ready && verbose.sinks.every((s) => s.fault === undefined))
    const shown = gate.cli(['status', '-c', gate.file]).stdout
    assert.match(shown, /SINK +KIND +UP +SENT +BEHIND/)
    assert.match(shown, /dead +webhook +(no|false)/)

    back = await webhook({ secret, port })
    await caughtUp(gate, 'dead')
    assert.deepEqual(back.entries, gate.audit())
    assert.ok(lies > 3 && lying.entries.length === 0)
    honest = true
    await caughtUp(gate, 'lying')
    assert.deepEqual(lying.entries, gate.audit())
  } finally {
    await gate.stop()
    await Promise.all([nobody, slow, lying, back].map((s) => s?.close()))
  }
})

test('a gateway that is killed sends again what it had not noted, and leaves nothing out', async () => {
  const hook = await webhook({ secret })
  const gate = await start({ hook: to(hook) })
  try {
    for (let round = 0; round < 5; round++) {
      const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
      const busy = Promise.all(Array.from({ length: 40 }, () => gate.call(token, 'desk__lookup_order', order))).catch(() => {})
      await until('some to arrive', () => hook.entries.length > round * 60 + 20)
      gate.daemon.kill('SIGKILL')
      await gate.exited
      await busy
      await gate.start()
    }
    await caughtUp(gate, 'hook')
    assert.deepEqual(hook.entries.filter((e, i) => hook.ids.indexOf(hook.ids[i]) === i).map((e) => e.seq), gate.audit().map((e) => e.seq))
    assert.equal(new Set(hook.ids).size, gate.audit().length) // what came twice came with the same id
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('a cursor that is damaged, or is of another record, is refused in the log, and everything comes again', async () => {
  const hook = await webhook({ secret })
  const gate = await start({ hook: to(hook, { from: 'now' }) })
  const cursor = join(gate.dir, 'data/audit/cursors/hook')
  const again = async (change) => {
    await calls(gate, 3)
    await caughtUp(gate, 'hook')
    gate.daemon.kill('SIGTERM')
    await gate.exited
    change()
    gate.log = ''
    hook.entries.length = 0
    await gate.start()
    await caughtUp(gate, 'hook')
    return gate.log
  }
  try {
    const last = gate.audit().at(-1).seq
    assert.ok(!(await again(() => {})).includes('sink_cursor_refused'))
    assert.ok(hook.entries[0].seq > last) // a whole one: what was sent does not come again
    const text = readFileSync(cursor, 'utf8')
    const log = await again(() => writeFileSync(cursor, text.replace(/seq \d/, 'seq 9')))
    assert.match(log, /"sink_cursor_refused".*is not what was written there.*begins with the first entry on record/)
    assert.deepEqual(hook.entries, gate.audit())
    assert.match(await again(() => writeFileSync(cursor, '')), /"sink_cursor_refused"/)
    assert.deepEqual(hook.entries, gate.audit())
    const whole = (seq) => {
      const lines = `doorward cursor 1\nseq ${seq}\nleaf ${'ab'.repeat(32)}\n`
      return `${lines}sum ${createHash('sha256').update(lines).digest('hex')}\n`
    }
    assert.match(await again(() => writeFileSync(cursor, whole(1))), /"sink_cursor_refused".*it is of another record/)
    assert.deepEqual(hook.entries, gate.audit())
    assert.match(await again(() => writeFileSync(cursor, whole(1e9))), /"sink_cursor_refused".*not on record/)
    assert.deepEqual(hook.entries, gate.audit())
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('from: now leaves out what was before, also when the gateway is killed at once', async () => {
  const hook = await webhook({ secret, answer: () => 500 }), there = await webhook({ secret })
  const gate = await start({})
  try {
    await calls(gate, 5)
    const before = gate.audit().length // the last one of them may be on its way to the disk
    gate.write({ sinks: { hook: to(hook, { from: 'now' }) } })
    gate.cli(['reload', '-c', gate.file])
    await until('it to be tried', () => hook.requests.length)
    await calls(gate, 5)
    gate.daemon.kill('SIGKILL')
    await gate.exited
    gate.write({ sinks: { hook: to(there, { from: 'now' }) } })
    await gate.start()
    await caughtUp(gate, 'hook')
    assert.deepEqual(there.entries, gate.audit().slice(there.entries[0].seq - 1))
    assert.ok(there.entries[0].seq >= before && there.entries[0].seq <= before + 2, `${there.entries[0].seq} after ${before}`)
  } finally {
    await gate.stop()
    await Promise.all([hook.close(), there.close()])
  }
})

test('a reload adds a sink, ends one, and leaves the others alone', async () => {
  const one = await webhook({ secret }), two = await webhook({ secret })
  const gate = await start({ one: to(one) })
  try {
    await calls(gate, 3)
    gate.write({ sinks: { one: to(one), two: to(two, { events: ['TOOL_*'] }) } })
    gate.cli(['reload', '-c', gate.file])
    await calls(gate, 3)
    await caughtUp(gate, 'one')
    await caughtUp(gate, 'two')
    assert.deepEqual(one.entries, gate.audit())
    assert.deepEqual(two.entries, gate.audit().filter((e) => e.event.startsWith('TOOL_')))
    gate.write({ sinks: { two: to(two, { events: ['TOOL_*'] }) } })
    gate.cli(['reload', '-c', gate.file])
    await until('the first to be gone', async () => !(await sinkOf(gate, 'one')))
    const count = one.entries.length
    await calls(gate, 3)
    await caughtUp(gate, 'two')
    assert.equal(one.entries.length, count)
    assert.equal(gate.log.match(/"sink_follows"/g).length, 2) // the second was not begun again
    gate.write({ sinks: { one: to(one), two: to(two, { events: ['TOOL_*'] }) } })
    gate.cli(['reload', '-c', gate.file])
    await caughtUp(gate, 'one') // from where it was; what was on its way when it ended comes again
    assert.deepEqual(inOrder(one.entries), gate.audit())
  } finally {
    await gate.stop()
    await Promise.all([one.close(), two.close()])
  }
})

test('a webhook over TLS is judged by its authorities, and shown a certificate', async () => {
  const ca = authority('Hooks'), strangers = authority('Strangers'), mine = ca.issue('doorward', { san: '' })
  const hook = await webhook({ secret, tls: { ...ca.issue('hook').pem, ca: ca.pem, requestCert: true } })
  const gate = await start({ right: to(hook, { ca: ca.ca, certificate: mine.certificate, key: mine.key }), wrong: to(hook, { ca: strangers.ca }),
                             named: to(hook, { url: `https://127.0.0.2:${hook.port}/`, ca: ca.ca }) })
  try {
    await caughtUp(gate, 'right')
    assert.equal(hook.requests[0].peer, 'doorward')
    assert.match((await failed(gate, 'wrong')).fault, /certificate is not to be trusted/)
    assert.ok((await failed(gate, 'named')).sent === 0)
  } finally {
    await gate.stop()
    await hook.close()
  }
})

test('other formats go to a webhook as they are', async () => {
  const ocsf = await webhook({ secret }), cef = await webhook({ secret, parse: String })
  const gate = await start({ ocsf: to(ocsf, { format: 'ocsf' }), cef: to(cef, { format: 'cef' }) })
  try {
    await calls(gate, 2)
    await caughtUp(gate, 'ocsf')
    await caughtUp(gate, 'cef')
    assert.ok(ocsf.entries.every((e) => e.class_uid === 6003))
    assert.ok(cef.entries.every((e) => e.startsWith('CEF:')))
    assert.equal(cef.entries.length, gate.audit().length)
  } finally {
    await gate.stop()
    await Promise.all([ocsf.close(), cef.close()])
  }
})

test('what is wrong with a sink is said before anything starts, and no secret with it', async () => {
  const gate = await start({})
  const faults = (sinks) => {
    gate.write({ sinks })
    const r = gate.cli(['config', 'check', '-c', gate.file], { ok: false })
    assert.notEqual(r.status, 0)
    return r.stdout
  }
  try {
    process.env.SHORT_SECRET = 'whsec_dG9vIHNob3J0'
    const at = { kind: 'webhook', url: 'http://127.0.0.1:1/', secret: '${HOOK_SECRET}' }
    assert.match(faults({ a: { ...at, events: ['TOOL_DENIED', 'TOOL_DENYED'] } }), /sinks\.a\.events\[1\]: "TOOL_DENYED" is no event/)
    assert.match(faults({ a: { ...at, secret: '${SHORT_SECRET}' } }), /sinks\.a: secret is wrong: must be whsec_ and the base64 of 24 to 64 bytes/)
    assert.ok(!faults({ a: { ...at, secret: '${SHORT_SECRET}' } }).includes('dG9v'))
    assert.match(faults({ a: { ...at, url: 'http://user:word@127.0.0.1/' } }), /sinks\.a: url is wrong: a URL must not hold a user or password/)
    assert.match(faults({ a: { ...at, ca: './none.pem', url: 'https://127.0.0.1/' } }), /none\.pem/)
    assert.match(faults({ a: { kind: 'syslog', url: 'tcp://logs/path' } }), /sinks\.a: url is wrong/)
    assert.match(faults({ a: { kind: 'nats', url: 'nats://bus', subject: 'audit.>' } }), /sinks\.a: subject is wrong/)
    const r = gate.cli(['reload', '-c', gate.file], { ok: false })
    assert.match(r.stdout + r.stderr, /subject is wrong/)
  } finally {
    await gate.stop()
  }
})
