// The record on NATS JetStream: a real server, a real stream, read back with NATS' own client.
// areas: sink, audit
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { authority } from './lib/certs.mjs'
import { DESK, startGate, until } from './lib/gate.mjs'
import { deaf, inOrder, nats, sinkOf } from './lib/sinks.mjs'

const CALLS = { servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, limits: { agent_rate: 'none' } }
const order = { orderId: 'ORD-A1B2C3D4' }
process.env.BUS_TOKEN = 's3cr3t-of-the-bus' // of the daemon and the command line
let gate, bus
const bySeq = (messages) => messages.map((m) => JSON.parse(m.text))
const caughtUp = (name = 'bus') => until(`${name} to have caught up`, async () => {
  const sink = await sinkOf(gate, name)
  return sink.behind === 0 && sink.sent >= gate.audit().at(-1).seq && sink
})

async function calls(token, n) {
  for (let i = 0; i < n; i += 10)
    await Promise.all(Array.from({ length: Math.min(10, n - i) }, () => gate.call(token, 'desk__lookup_order', order)))
}

before(async () => {
  bus = await nats({ token: process.env.BUS_TOKEN })
  gate = await startGate({ ...CALLS, sinks: { bus: { kind: 'nats', url: bus.url, secret: '${BUS_TOKEN}' } } })
})
after(async () => {
  await gate?.stop()
  await bus?.close()
})

test('every entry is in the stream, byte for byte, in the order of the record', async () => {
  const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  await calls(token, 50)
  await caughtUp()
  const messages = await bus.messages(), record = gate.audit()
  assert.deepEqual(bySeq(messages), record)
  assert.equal(new Set(messages.map((m) => m.id)).size, record.length)
  assert.ok(messages.every((m) => m.subject === 'agent.audit' && m.type === 'application/json' && /^\d+-[0-9a-f]{32}$/.test(m.id)))
})

test('a gateway that is killed goes on where it was, and the stream drops what comes twice', async () => {
  const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  const busy = calls(token, 300).catch(() => {}) // the last ones find nobody
  await until('some to be sent', async () => (await bus.count()) > 200)
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await busy
  await gate.start()
  await caughtUp()
  assert.deepEqual(bySeq(await bus.messages()), gate.audit())
})

test('a server that restarts gets what it missed, and the log says once that it was gone and once that it is back', async () => {
  const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  gate.log = ''
  await bus.stop('SIGKILL')
  await calls(token, 30)
  const gone = await until('the sink to be seen as gone', async () => {
    const s = await sinkOf(gate, 'bus')
    return !s.up && s.behind > 50 && gate.log.includes('"sink_gone"') && s
  })
  assert.match(gone.fault, /connect|connection/i)
  await bus.start()
  await caughtUp()
  await until('the log to say so', () => gate.log.includes('"sink_back"'))
  assert.equal(gate.log.match(/"sink_gone"/g).length, 1)
  assert.equal(gate.log.match(/"sink_back"/g).length, 1)
  assert.deepEqual(inOrder(bySeq(await bus.messages())), gate.audit())
})

test('a subject that no stream takes is a fault with a way out, and nothing is lost', async () => {
  gate.write({ sinks: { bus: { kind: 'nats', url: bus.url, secret: '${BUS_TOKEN}' }, lost: { kind: 'nats', url: bus.url, secret: '${BUS_TOKEN}', subject: 'nobody.listens' } } })
  gate.cli(['reload', '-c', gate.file])
  const lost = await until('its fault', async () => {
    const s = await sinkOf(gate, 'lost')
    return s?.fault && s
  })
  assert.match(lost.fault, /no JetStream stream takes the subject nobody\.listens/)
  assert.equal(lost.sent, 0)
})

test('sinks that no stream takes come and go with answers on their way, and the gateway stays', async () => {
  const bus1 = { kind: 'nats', url: bus.url, secret: '${BUS_TOKEN}' }
  const lost = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`lost${i}`, { ...bus1, subject: `nobody.listens.${i}` }]))
  for (let i = 0; i < 8; i++) {
    gate.write({ sinks: { bus: bus1, ...lost } })
    gate.cli(['reload', '-c', gate.file])
    await sleep(400) // a few batches each, all refused
    gate.write({ sinks: { bus: bus1 } })
    gate.cli(['reload', '-c', gate.file])
  }
  await until('them to be gone', async () => (await gate.operator('GET', '/status')).json.sinks.length === 1)
})

test('the token stands in no log, no status and no entry', async () => {
  const said = gate.log + JSON.stringify((await gate.operator('GET', '/status')).json) + JSON.stringify(gate.audit())
  assert.ok(!said.includes(process.env.BUS_TOKEN))
})

test('over TLS only the right server is believed, and it is shown our certificate', async () => {
  const ca = authority('Bus'), stranger = authority('Strangers')
  const mine = ca.issue('doorward', { san: '' }), its = ca.issue('bus'), misnamed = ca.issue('bus', { san: 'DNS:other.example' })
  const client = { ca: ca.pem.toString(), cert: mine.pem.cert.toString(), key: mine.pem.key.toString(), checkServerIdentity: () => undefined }
  const secure = await nats({ tls: { ...its, ca: ca.ca, client } }), other = await nats({ tls: { ...misnamed, client: { ...client } } })
  const show = { certificate: mine.certificate, key: mine.key }
  const own = await startGate({ ...CALLS, sinks: {
    right: { kind: 'nats', url: secure.url, ca: ca.ca, ...show }, nameless: { kind: 'nats', url: secure.url, ca: ca.ca },
    strange: { kind: 'nats', url: secure.url, ca: stranger.ca, ...show }, misnamed: { kind: 'nats', url: other.url, ca: ca.ca },
    system: { kind: 'nats', url: secure.url, ...show } } })
  try {
    await until('the right one to take it', async () => (await sinkOf(own, 'right')).sent >= own.audit().at(-1).seq)
    for (const name of ['nameless', 'strange', 'misnamed', 'system']) {
      const sink = await until(`the fault of ${name}`, async () => {
        const s = await sinkOf(own, name)
        return s.fault && s
      })
      assert.equal(sink.sent, 0, name)
    }
    assert.deepEqual(bySeq(await secure.messages()).slice(0, 3), own.audit().slice(0, 3))
  } finally {
    await own.stop()
    await secure.close()
    await other.close()
  }
})

test('a server that accepts and says nothing, or shakes no hands, keeps neither calls nor the end of the gateway', async () => {
  const info = { server_id: 'x', version: '2.9.10', proto: 1, host: '127.0.0.1', port: 1, max_payload: 1048576, headers: true, tls_required: true }
  const mute = await deaf(), coy = await deaf(`INFO ${JSON.stringify(info)}\r\n`), ca = authority('Bus')
  const own = await startGate({ ...CALLS, sinks: {
    mute: { kind: 'nats', url: `nats://127.0.0.1:${mute.port}`, timeout: '1s' }, coy: { kind: 'nats', url: `tls://127.0.0.1:${coy.port}`, ca: ca.ca, timeout: '1s' } } })
  try {
    for (const name of ['mute', 'coy']) {
      const sink = await until(`the fault of ${name}`, async () => {
        const s = await sinkOf(own, name)
        return s.fault && s
      })
      assert.match(sink.fault, /cannot connect/)
    }
  } finally {
    const begun = Date.now()
    assert.equal((await own.stop()).code, 0)
    assert.ok(Date.now() - begun < 4000, `${Date.now() - begun} ms`)
    await Promise.all([mute.close(), coy.close()])
  }
})
