// The record at an OpenTelemetry collector: logs and spans over OTLP/HTTP with JSON; what a collector may answer, and what becomes of it.
// areas: sink, audit
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { httpReceiver, sinkOf } from './lib/sinks.mjs'

process.env.COLLECTOR_KEY = 'Bearer k3y-of-the-collector' // of the daemon and the command line
const CALLS = { servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, limits: { agent_rate: 'none' } }
const start = (sinks) => startGate({ ...CALLS, sinks })
const order = { orderId: 'ORD-A1B2C3D4' }
const json = (body) => ({ status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

async function calls(gate, n) {
  const token = gate.token(await gate.agent({ allow: ['desk/lookup_order'] }))
  for (let i = 0; i < n; i++) await gate.call(token, 'desk__lookup_order', order)
}
const caughtUp = (gate, name) => until(`${name} to have caught up`, async () => {
  const sink = await sinkOf(gate, name)
  return sink?.behind === 0 && sink.sent >= gate.audit().at(-1).seq && sink
})
const records = (body) => JSON.parse(body).resourceLogs.flatMap((r) => r.scopeLogs.flatMap((s) => s.logRecords))
const spans = (body) => JSON.parse(body).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans))
const attribute = (of, key) => Object.values(of.attributes.find((a) => a.key === key)?.value ?? {})[0]

test('logs go to /v1/logs in batches, each entry a record of its own, in order', async () => {
  const collector = await httpReceiver(() => json({ partialSuccess: {} }))
  const gate = await start({ logs: { kind: 'otlp', url: collector.url + '/base/', headers: { Authorization: '${COLLECTOR_KEY}' } } })
  try {
    await calls(gate, 20)
    await caughtUp(gate, 'logs')
    const all = collector.requests.flatMap((r) => records(r.body))
    assert.equal(all.length, gate.audit().length)
    assert.deepEqual(all.map((r) => r.eventName ?? attribute(r, 'event.name')).length, all.length)
    assert.ok(collector.requests.every((r) => r.url === '/base/v1/logs' && r.headers['content-type'] === 'application/json' &&
                                              r.headers.authorization === process.env.COLLECTOR_KEY))
    const times = all.map((r) => BigInt(r.timeUnixNano))
    assert.ok(times.every((t, i) => i === 0 || t >= times[i - 1]))
    assert.ok(!gate.log.includes('k3y-of'))
  } finally {
    await gate.stop()
    await collector.close()
  }
})

test('spans go to /v1/traces, one for each call, and with arguments only when that is asked for', async () => {
  const plain = await httpReceiver(() => json({})), telling = await httpReceiver(() => json({}))
  const gate = await start({ plain: { kind: 'traces', url: plain.url }, telling: { kind: 'traces', url: telling.url, arguments: true } })
  try {
    await calls(gate, 5)
    await caughtUp(gate, 'plain')
    await caughtUp(gate, 'telling')
    const some = plain.requests.flatMap((r) => spans(r.body)), more = telling.requests.flatMap((r) => spans(r.body))
    assert.ok(plain.requests.every((r) => r.url === '/v1/traces'))
    assert.deepEqual([some.length, more.length], [5, 5])
    assert.ok(some.every((s) => attribute(s, 'gen_ai.tool.name') && !JSON.stringify(s).includes(order.orderId)))
    assert.ok(more.every((s) => JSON.stringify(s).includes(order.orderId)))
    const outcomes = gate.audit().filter((e) => e.event === 'TOOL_RESULT')
    assert.deepEqual(some.map((s) => s.traceId), outcomes.map((e) => e.traceId))
  } finally {
    await gate.stop()
    await Promise.all([plain.close(), telling.close()])
  }
})

test('a collector that is busy is asked again when it said, and gets everything', async () => {
  const at = []
  const collector = await httpReceiver(() => {
    at.push(Date.now())
    return at.length === 1 ? { status: 503, headers: { 'retry-after': '1' } } : at.length === 2 ? 429 : json({})
  })
  const gate = await start({ logs: { kind: 'otlp', url: collector.url } })
  try {
    await caughtUp(gate, 'logs')
    assert.ok(at[1] - at[0] >= 950 && at[2] - at[1] < 950, `${at.map((t) => t - at[0])}`)
    const taken = collector.requests.slice(2).flatMap((r) => records(r.body))
    assert.equal(taken.length, gate.audit().length)
  } finally {
    await gate.stop()
    await collector.close()
  }
})

test('a batch that is too much is sent in smaller ones', async () => {
  const taken = []
  const collector = await httpReceiver((r) => {
    if (records(r.body).length > 3) return 413
    taken.push(...records(r.body))
    return json({})
  })
  const gate = await start({})
  try {
    await calls(gate, 10)
    gate.write({ sinks: { logs: { kind: 'otlp', url: collector.url } } })
    gate.cli(['reload', '-c', gate.file])
    await caughtUp(gate, 'logs')
    assert.equal(taken.length, gate.audit().length)
  } finally {
    await gate.stop()
    await collector.close()
  }
})

test('records that a collector says it refused are told in the log, and not sent again', async () => {
  const collector = await httpReceiver(() => json({ partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } }))
  const gate = await start({ logs: { kind: 'otlp', url: collector.url } })
  try {
    await caughtUp(gate, 'logs')
    assert.match(gate.log, /"sink_rejected","sink":"logs","records":2,"reason":"too old"/)
    assert.equal(collector.requests.flatMap((r) => records(r.body)).length, gate.audit().length)
  } finally {
    await gate.stop()
    await collector.close()
  }
})
