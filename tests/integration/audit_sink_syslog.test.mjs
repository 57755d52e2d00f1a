// The record as syslog: RFC 5424 with octet counting over TCP and over TLS, read by a strict parser of our own and by one of others.
// areas: sink, audit
import assert from 'node:assert/strict'
import { test } from 'node:test'
import parse from 'nsyslog-parser'
import { authority } from './lib/certs.mjs'
import { DESK, startGate, until } from './lib/gate.mjs'
import { deaf, inOrder, sinkOf, syslog } from './lib/sinks.mjs'

const CALLS = { servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, limits: { agent_rate: 'none' } }
const start = (sinks) => startGate({ ...CALLS, sinks })
const order = { orderId: 'ORD-A1B2C3D4' }

async function calls(gate, n, args = order) {
  const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  for (let i = 0; i < n; i++) await gate.call(token, 'desk__lookup_order', args)
}
const caughtUp = (gate, name = 'logs') => until(`${name} to have caught up`, async () => {
  const sink = await sinkOf(gate, name)
  return sink?.behind === 0 && sink.sent >= gate.audit().at(-1).seq && sink
})
const entries = (server) => server.messages.map((m) => JSON.parse(m.text))

test('every entry is a message, with its facts as structured data', async () => {
  const server = await syslog(), gate = await start({ logs: { kind: 'syslog', url: server.url } })
  try {
    await calls(gate, 5)
    await calls(gate, 1, { orderId: 'ein "Wort" mit ] und \\ und \u0007 und ü' })
    await caughtUp(gate)
    await until('the last to be read', () => server.messages.length === gate.audit().length)
    assert.deepEqual(server.faults, [])
    assert.deepEqual(entries(server), gate.audit())
    for (const [i, e] of gate.audit().entries()) {
      const m = server.messages[i]
      assert.deepEqual([m.facility, m.time, m.app, m.id, m.sd], [13, e.timestamp, 'doorward', e.event, 'doorward@32473'])
      const facts = { seq: `${e.seq}`, event: e.event, agent: e.agentId, session: e.sessionId, tool: e.toolName, trace: e.traceId }
      assert.deepEqual(m.params, Object.fromEntries(Object.entries(facts).filter(([, v]) => v)))
      assert.ok(m.severity >= (e.result === 'denied' ? 3 : 5) && m.severity <= 6, e.event)
      const theirs = parse(m.raw)
      assert.deepEqual([theirs.type, theirs.appName, theirs.messageid, theirs.message], ['RFC5424', 'doorward', e.event, m.text])
    }
    assert.ok(server.messages.find((m) => m.id === 'TOOL_DENIED').severity < 6)
  } finally {
    await gate.stop()
    await server.close()
  }
})

test('a receiver that goes away gets what was in flight again, and leaves no gap', async () => {
  const first = await syslog(), gate = await start({ logs: { kind: 'syslog', url: first.url, timeout: '2s' } })
  let second
  try {
    const read = (server) => until('the last to be read', () => server.messages.at(-1)?.params.seq === `${gate.audit().at(-1).seq}`)
    await calls(gate, 5)
    await caughtUp(gate)
    await read(first) // what a receiver has in its buffers when it stops, nobody can send again
    first.drop() // the connection alone
    await calls(gate, 5)
    await caughtUp(gate)
    await read(first)
    await first.close()
    await calls(gate, 20)
    await until('it to be seen', async () => !(await sinkOf(gate, 'logs')).up)
    second = await syslog({ port: first.port })
    await caughtUp(gate)
    await read(second)
    assert.deepEqual(inOrder([...entries(first), ...entries(second)].sort((a, b) => a.seq - b.seq)), gate.audit())
  } finally {
    await gate.stop()
    await Promise.all([first.close(), second?.close()])
  }
})

test('over TLS the receiver is judged by authority and name, and shown a certificate', async () => {
  const ca = authority('Logs'), strangers = authority('Strangers'), mine = ca.issue('doorward', { san: '' })
  const server = await syslog({ tls: { ...ca.issue('logs').pem, ca: ca.pem, requestCert: true, rejectUnauthorized: true } })
  const misnamed = await syslog({ tls: ca.issue('logs', { san: 'DNS:other.example' }).pem })
  const show = { certificate: mine.certificate, key: mine.key }, kind = 'syslog'
  const gate = await start({ logs: { kind, url: server.url, ca: ca.ca, ...show }, cef: { kind, url: server.url, ca: ca.ca, ...show, format: 'cef' },
    nameless: { kind, url: server.url, ca: ca.ca }, strange: { kind, url: server.url, ca: strangers.ca, ...show },
    misnamed: { kind, url: misnamed.url, ca: ca.ca } })
  try {
    await calls(gate, 3)
    await caughtUp(gate, 'logs')
    await caughtUp(gate, 'cef')
    await until('all to be read', () => server.messages.length === 2 * gate.audit().length)
    assert.deepEqual(server.faults, [])
    assert.deepEqual(server.messages.filter((m) => m.text.startsWith('{')).map((m) => JSON.parse(m.text)), gate.audit())
    assert.equal(server.messages.filter((m) => m.text.startsWith('CEF:')).length, gate.audit().length)
    assert.equal(server.peers[0], 'doorward')
    for (const name of ['nameless', 'strange', 'misnamed'])
      assert.equal((await until(`the fault of ${name}`, async () => {
        const s = await sinkOf(gate, name)
        return s.fault && s
      })).sent, 0, name)
    assert.equal(misnamed.messages.length, 0)
  } finally {
    await gate.stop()
    await Promise.all([server.close(), misnamed.close()])
  }
})

test('a receiver that shakes no hands keeps neither calls nor the end of the gateway', async () => {
  const nobody = await deaf(), ca = authority('Logs')
  const gate = await start({ logs: { kind: 'syslog', url: `tls://127.0.0.1:${nobody.port}`, ca: ca.ca, timeout: '1s' } })
  try {
    const sink = await until('its fault', async () => {
      const s = await sinkOf(gate, 'logs')
      return s.fault && s
    })
    assert.equal(sink.fault, 'took too long')
    await calls(gate, 5)
  } finally {
    const begun = Date.now()
    assert.equal((await gate.stop()).code, 0)
    assert.ok(Date.now() - begun < 4000)
    await nobody.close()
  }
})
