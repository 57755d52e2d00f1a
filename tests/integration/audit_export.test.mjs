// The record in other forms: OCSF by the published schema, CEF, and OTLP as OpenTelemetry's own code reads it, of everything
// that a gateway puts on record.
// areas: export, formats, traces
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readCef } from './lib/cef.mjs'
import { DESK, npmServer, startGate, until } from './lib/gate.mjs'
import { newAgent, postToken } from './lib/oauth.mjs'
import { ocsfFaults } from './lib/ocsf.mjs'
import { attributes, decodeLogs, decodeSpans, plain } from './lib/otlp.mjs'

const ORDER = { orderId: 'ORD-A1B2C3D4' }
const PARENT = '00f067aa0ba902b7', TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
let gate, agent, entries

const exported = (...args) => gate.cli(['audit', 'export', '-c', gate.file, ...args]).stdout
const lines = (...args) => exported(...args).split('\n').slice(0, -1)
const spans = (...args) => lines('--format', 'otlp-spans', ...args)
  .flatMap((l) => decodeSpans(JSON.parse(l)).resourceSpans).flatMap((r) => r.scopeSpans).flatMap((s) => s.spans)
const ofSeq = (list, seq) => list.find((s) => attributes(s.attributes)['doorward.seq'] === seq)

// Something of everything: calls that go well, fail and are refused, prompts and resources, operators, a reload, a stop.
async function live() {
  gate = await startGate({ servers: { desk: DESK, everything: npmServer('server-everything') },
    scopes: [{ when: { agent_type: 'customer-support' }, add: ['resources:read:server:everything', 'prompts:get:server:everything'] }] })
  agent = await newAgent(gate, 'exported', { allowedTools: ['desk/lookup_order'] })
  const { access_token: token } = gate.open(agent, '--user', 'al|ice=\\1', '--tier', 'gold')
  const parent = { headers: { traceparent: `00-${TRACE}-${PARENT}-01` }, meta: { 'dev.doorward/reasoning': 'he asked\nfor it', 'dev.doorward/model': 'm-1' } }
  await gate.call(token, 'desk__lookup_order', ORDER, parent)
  await gate.call(token, 'desk__lookup_order', ORDER, { meta: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })
  await gate.call(token, 'desk__lookup_order', { orderId: 'ORD-00000000' }, parent)
  await gate.call(token, 'desk__lookup_order', { orderId: 471100471100 })
  await gate.call(token, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 5, reason: 'a|b=c\\d\ne' })
  await gate.modern(token, 'prompts/get', { name: 'everything__simple-prompt' }, { headers: { 'mcp-name': 'everything__simple-prompt' } })
  await gate.modern(token, 'resources/read', { uri: 'test://nowhere' })
  await postToken(gate, { grant_type: 'client_credentials', client_assertion: 'x.y.z', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' })
  for (const [path, body] of [['disable'], ['enable'], ['kill', { reason: 'to see it' }], ['revive', { reason: 'seen' }]])
    assert.equal((await gate.operator('POST', `/agents/exported/${path}`, body)).status, 200, path)
  await gate.operator('POST', '/reload')
  await gate.recorded('the reload', (e) => e.event === 'CONFIG_RELOADED')
  entries = gate.audit()
}

before(live)
after(async () => gate?.stop('SIGKILL'))

describe('json', () => {
  test('is the record, byte for byte', () => {
    const all = exported()
    assert.deepEqual(all.split('\n').slice(0, entries.length).map((l) => JSON.parse(l)), entries)
    assert.equal(exported('--format', 'json'), all)
  })

  test('by agent, by events and by time it is what was asked for', () => {
    const of = (...args) => lines(...args).map((l) => JSON.parse(l))
    assert.ok(of('--agent', 'exported').length > 5 && of('--agent', 'exported').every((e) => e.agentId === 'exported'))
    assert.equal(of('--agent', 'nobody').length, 0)
    assert.deepEqual(new Set(of('--event', 'TOOL_*').map((e) => e.event.slice(0, 5))), new Set(['TOOL_']))
    assert.deepEqual(of('--event', 'KILL').map((e) => e.event), ['KILL'])
    const { timestamp } = entries.find((e) => e.event === 'KILL')
    const before = of('--until', timestamp), from = of('--since', timestamp)
    assert.ok(before.every((e) => e.timestamp < timestamp) && from.every((e) => e.timestamp >= timestamp))
    assert.ok(before.length > 0 && from.length > 0 && before.length + from.length >= entries.length)
  })
})

describe('ocsf', () => {
  test('every entry is an API Activity by the published schema', () => {
    const all = lines('--format', 'ocsf').map((l) => JSON.parse(l))
    assert.ok(all.length >= entries.length && new Set(entries.map((e) => e.event)).size > 12)
    for (const [i, event] of all.entries()) {
      assert.deepEqual(ocsfFaults(event), [], `#${event.metadata.sequence} ${JSON.stringify(event, null, 1)}`)
      if (entries[i]) assert.deepEqual([event.metadata.sequence, event.metadata.event_code], [entries[i].seq, entries[i].event])
    }
  })

  test('says which agent acted for whom, what was refused and by what', () => {
    const refused = lines('--format', 'ocsf', '--event', 'TOOL_DENIED').map((l) => JSON.parse(l)).find((e) => e.status_code === 'insufficient_scope')
    assert.deepEqual([refused.actor.app_uid, refused.actor.user.uid, refused.action, refused.status], ['exported', 'al|ice=\\1', 'Denied', 'Failure'])
    assert.deepEqual([refused.api.operation, refused.api.service.name, refused.resources[0].name], ['tools/call', 'desk', 'desk/issue_refund'])
    assert.equal(refused.src_endpoint.ip, '127.0.0.1')
    const [forged] = lines('--format', 'ocsf', '--event', 'AUTH_FAILED').map((l) => JSON.parse(l))
    assert.deepEqual([forged.src_endpoint.ip, forged.status], ['127.0.0.1', 'Failure'])
    const [call] = lines('--format', 'ocsf', '--event', 'TOOL_CALL').map((l) => JSON.parse(l))
    assert.deepEqual([call.src_endpoint.ip, call.action, call.api.request.data], ['127.0.0.1', 'Allowed', ORDER])
    const [killed] = lines('--format', 'ocsf', '--event', 'KILL').map((l) => JSON.parse(l))
    assert.deepEqual([killed.actor.user.name, killed.resources[0].uid], ['operator', 'exported'])
  })
})

describe('cef', () => {
  test('every entry is a line that reads back', () => {
    const all = lines('--format', 'cef').map(readCef)
    for (const [i, e] of entries.entries()) {
      const { signature, vendor, extension } = all[i]
      assert.deepEqual([vendor, signature, extension.externalId, Number(extension.rt)], ['Doorward', e.event, String(e.seq), Date.parse(e.timestamp)])
      assert.equal(extension.duser, e.triggerUserId ?? undefined)
      if (e.parameters) assert.deepEqual(JSON.parse(extension.cs4), e.parameters)
    }
  })
})

describe('otlp-logs', () => {
  test('are requests that OpenTelemetry reads, with a record for each entry', () => {
    const records = lines('--format', 'otlp-logs').flatMap((l) => decodeLogs(JSON.parse(l)).resourceLogs).flatMap((r) => {
      assert.equal(attributes(r.resource.attributes)['service.name'], 'doorward')
      return r.scopeLogs.flatMap((s) => s.logRecords)
    })
    for (const [i, e] of entries.entries()) {
      const a = attributes(records[i].attributes)
      assert.deepEqual([a['doorward.seq'], a['doorward.event'], records[i].traceId], [e.seq, e.event, e.traceId ?? undefined])
      assert.equal(BigInt(records[i].timeUnixNano), BigInt(Date.parse(e.timestamp)) * 1000000n)
      assert.ok(plain(records[i].body).startsWith(e.event))
      if (e.parameters) assert.deepEqual(a['doorward.parameters'], e.parameters)
    }
  })
})

describe('otlp-spans', () => {
  test('are one for each call, at its outcome or its refusal, and none else', () => {
    const ends = entries.filter((e) => ['TOOL_RESULT', 'TOOL_DENIED', 'REQUEST_RESULT', 'REQUEST_DENIED'].includes(e.event))
    assert.deepEqual(spans().map((s) => attributes(s.attributes)['doorward.seq']).slice(0, ends.length), ends.map((e) => e.seq))
    assert.equal(new Set(spans().map((s) => s.spanId)).size, spans().length)
  })

  test('a call is a server\'s span below that of its caller, with the names of the conventions', () => {
    const e = entries.find((x) => x.event === 'TOOL_RESULT'), s = ofSeq(spans(), e.seq), a = attributes(s.attributes)
    assert.deepEqual([s.traceId, s.parentSpanId, s.spanId, s.kind, s.name], [TRACE, PARENT, e.spanId, 2, 'tools/call desk/lookup_order'])
    assert.deepEqual([a['mcp.method.name'], a['gen_ai.operation.name'], a['gen_ai.tool.name'], a['gen_ai.agent.id'], a['enduser.id']],
      ['tools/call', 'execute_tool', 'desk/lookup_order', 'exported', 'al|ice=\\1'])
    assert.equal(BigInt(s.endTimeUnixNano), BigInt(Date.parse(e.timestamp)) * 1000000n)
    assert.ok(Math.abs(Number(BigInt(s.endTimeUnixNano) - BigInt(s.startTimeUnixNano)) / 1e6 - e.latencyMs) < 0.002)
    assert.deepEqual(s.status, {})
    assert.equal(a['error.type'], undefined)
    const intent = entries.find((x) => x.seq === e.intentSeq)
    assert.deepEqual([intent.spanId, intent.parentSpanId, intent.method], [e.spanId, PARENT, 'tools/call'])
  })

  test('the parent in the message goes before that in the header', () => {
    const all = spans().filter((s) => s.parentSpanId === 'b'.repeat(16))
    assert.deepEqual(all.map((s) => s.traceId), ['a'.repeat(32)])
  })

  test('what failed or was refused is an error with its kind', () => {
    const kinds = new Map(spans().filter((s) => s.status.code === 2).map((s) => [attributes(s.attributes)['error.type'], s]))
    assert.deepEqual([...kinds.keys()].filter((k) => ['tool_error', 'schema_mismatch', 'insufficient_scope'].includes(k)).sort(),
      ['insufficient_scope', 'schema_mismatch', 'tool_error'])
    assert.match(kinds.get('insufficient_scope').status.message, /refund/)
    const prompt = spans().find((s) => s.name === 'prompts/get everything/simple-prompt')
    assert.equal(attributes(prompt.attributes)['gen_ai.prompt.name'], 'everything/simple-prompt')
    assert.equal(attributes(prompt.attributes)['gen_ai.operation.name'], undefined)
  })

  test('arguments are there when they are asked for, and else nowhere', () => {
    assert.doesNotMatch(exported('--format', 'otlp-spans'), /ORD-A1B2C3D4|471100471100|arguments/)
    const a = attributes(spans('--arguments')[0].attributes)
    assert.deepEqual(a['gen_ai.tool.call.arguments'], ORDER)
    // an outcome whose intent is not among what is exported
    const only = attributes(spans('--arguments', '--event', 'TOOL_RESULT')[0].attributes)
    assert.deepEqual(only['gen_ai.tool.call.arguments'], ORDER)
  })
})

describe('a file', () => {
  test('is for its owner only, is not overwritten, and says how much is in it', () => {
    const file = join(gate.dir, 'record.jsonl')
    const told = gate.json(['audit', 'export', '--format', 'ocsf', '-o', file])
    assert.equal(told.entries, readFileSync(file, 'utf8').split('\n').length - 1)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const again = gate.cli(['audit', 'export', '-c', gate.file, '-o', file], { ok: false })
    assert.notEqual(again.status, 0)
    assert.match(again.stderr, /record\.jsonl: is there already, and is not overwritten/)
  })

  test('a form, a time or an option that is none is refused before anything is written', () => {
    for (const [args, words] of [[['--format', 'xml'], /must be json, ocsf, cef, otlp-logs or otlp-spans, not xml/], [['--since', 'never'], /--since must be a duration/],
                                 [['--since', '1h', '--until', '2h'], /--since must be before --until/], [['--arguments'], /goes with --format otlp-spans/]]) {
      const r = gate.cli(['audit', 'export', '-c', gate.file, '-o', join(gate.dir, 'none'), ...args], { ok: false })
      assert.equal(r.status, 2)
      assert.match(r.stderr, words)
      assert.ok(!existsSync(join(gate.dir, 'none')))
    }
  })
})

describe('GET /admin/v1/audit/export', () => {
  const get = (query, token = gate.operatorToken()) =>
    fetch(`${gate.admin}/admin/v1/audit/export?${query}`, { headers: { authorization: `Bearer ${token}` } })

  test('is what the command line says, form by form', async () => {
    for (const [format, type] of [['json', 'application/x-ndjson'], ['ocsf', 'application/x-ndjson'], ['cef', 'text/plain; charset=utf-8'], ['otlp-logs', 'application/x-ndjson']]) {
      const res = await get(`format=${format}&until=${entries.at(-1).timestamp}`)
      assert.deepEqual([res.status, res.headers.get('content-type')], [200, type])
      assert.equal(await res.text(), exported('--format', format, '--until', entries.at(-1).timestamp))
    }
    const some = await get('agent=exported&event=TOOL_*&format=otlp-spans&arguments=true')
    assert.equal(await some.text(), exported('--format', 'otlp-spans', '--arguments', '--agent', 'exported', '--event', 'TOOL_*'))
  })

  test('a question that is none, and a stranger, are refused', async () => {
    for (const [query, words] of [['format=xml', /format must be json/], ['since=never', /since must be a duration/], ['colour=red', /no parameter colour/],
                                  ['arguments=true', /goes with format=otlp-spans/], ['since=1h&until=2h', /since must be before until/]]) {
      const res = await get(query)
      assert.equal(res.status, 400, query)
      assert.match((await res.json()).message, words)
    }
    assert.equal((await get('format=json', 'nobody')).status, 401)
  })
})

describe('a long record', () => {
  const MANY = 400
  before(async () => {
    const many = await newAgent(gate, 'many', { allowedTools: ['desk/lookup_order'], maxConcurrentSessions: 9 })
    const { access_token: token } = gate.open(many)
    for (let i = 0; i < MANY; i += 50)
      await Promise.all(Array.from({ length: 50 }, () => gate.call(token, 'desk__lookup_order', { orderId: 'x'.repeat(20000) })))
    await gate.recorded('the last refusal', () => gate.audit().filter((e) => e.agentId === 'many').length > MANY)
  })

  test('is cut into requests that a collector takes', () => {
    const requests = lines('--format', 'otlp-logs').map((l) => JSON.parse(l).resourceLogs[0].scopeLogs[0].logRecords.length)
    assert.ok(requests.length > 1 && requests.every((n) => n >= 1 && n <= 256))
    assert.equal(requests.reduce((a, b) => a + b), lines().length)
  })

  test('goes to a client that reads slowly, whole, while others are answered', async () => {
    const res = await fetch(`${gate.admin}/admin/v1/audit/export`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })
    await new Promise((done) => setTimeout(done, 300))
    assert.equal((await gate.operator('GET', '/status')).status, 200)
    const all = (await res.text()).split('\n').slice(0, -1)
    assert.ok(all.join('').length > MANY * 20000)
    assert.deepEqual(all.map((l) => JSON.parse(l).seq), all.map((_, i) => i + 1))
  })

  test('ends with a client that leaves, and makes room for the next', async () => {
    for (let i = 0; i < 6; i++) {
      const gone = new AbortController()
      const res = await fetch(`${gate.admin}/admin/v1/audit/export`, { signal: gone.signal, headers: { authorization: `Bearer ${gate.operatorToken()}` } })
      if (res.status === 200) await res.body.getReader().read()
      gone.abort()
    }
    await until('an export', async () => (await fetch(`${gate.admin}/admin/v1/audit/export?event=KILL`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).status === 200)
  })

  test('one that is damaged breaks off, and says so', async () => {
    const folder = join(gate.dir, 'data/audit'), [first] = readdirSync(folder).filter((n) => n.endsWith('.seg')).sort()
    const at = readFileSync(join(folder, first)).indexOf(Buffer.from('"agentId":"many"')), fd = openSync(join(folder, first), 'r+')
    writeSync(fd, 'X', at + 100000)
    closeSync(fd)
    const cut = await fetch(`${gate.admin}/admin/v1/audit/export`, { headers: { authorization: `Bearer ${gate.operatorToken()}` } })
    await assert.rejects(cut.text())
    await until('the fault in the log', () => /audit_export_failed/.test(gate.log))
    const file = gate.cli(['audit', 'export', '-c', gate.file, '-o', join(gate.dir, 'damaged')], { ok: false })
    assert.equal(file.status, 4)
    assert.match(file.stderr, /breaks off behind entry \d+, though it goes on to \d+/)
    assert.ok(!existsSync(join(gate.dir, 'damaged')))
    const shown = gate.cli(['audit', 'export', '-c', gate.file], { ok: false })
    assert.deepEqual([shown.status, shown.stdout.startsWith('{"actor"'), shown.stdout.endsWith('}\n')], [4, true, true])
  })
})

test('a gateway that stops does not wait for a client that does not read', async () => {
  const stopping = await startGate({ servers: { desk: DESK }, limits: { stop_grace: '1s' } })
  const slow = await newAgent(stopping, 'slow', { allowedTools: ['desk/lookup_order'] })
  const { access_token: token } = stopping.open(slow)
  for (let i = 0; i < 10; i++)
    await Promise.all(Array.from({ length: 50 }, () => stopping.call(token, 'desk__lookup_order', { orderId: 'x'.repeat(40000) })))
  const socket = connect(stopping.adminPort, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /admin/v1/audit/export HTTP/1.1\r\nHost: 127.0.0.1:${stopping.adminPort}\r\nAuthorization: Bearer ${stopping.operatorToken()}\r\n\r\n`)
  await new Promise((done) => socket.once('readable', done))
  const begun = Date.now(), { code } = await stopping.stop()
  assert.equal(code, 0)
  assert.ok(Date.now() - begun < 10000)
  socket.destroy()
})
