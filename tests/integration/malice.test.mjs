// Clients that mean no good, each with well-formed bytes: requests in one heap, requests at the bounds and one over, clients that do not
// read, that say half of what they should, in thousands. What they get is bounded, and the others never notice.
// areas: net
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { figures, grown } from './lib/proc.mjs'
import { answers, callBytes, exchange, open } from './lib/raw.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'

const BODY = 8192, MB = 1 << 20
const big = 'x'.repeat(2 * MB)
let gate, raw, token, port

before(async () => {
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: m.params.name === 'big' ? big : m.params.arguments.say ?? 'fine' }] } }
    : modernBasics(['t', 'big'], m)))
  gate = await startGate({ servers: { raw: { url: raw.url } }, limits: { body_bytes: BODY },
                           session: { max_tool_calls: 100000, rate: '10000000/minute' } })
  token = gate.token(await gate.agent({ allow: ['raw/t', 'raw/big'] }))
  port = gate.port
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

const call = (say, more = '') => callBytes({ port, token, name: 'raw__t', args: { say }, more })
const called = (say) => raw.seen.filter((s) => s.message?.params?.arguments?.say === say).length
const says = (heard) => [...heard.matchAll(/"text":"([^"]*)"/g)].map((m) => m[1])
const livez = (fields = '', target = '/livez') => `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}`
const LAST = 'Connection: close\r\n'

// ---- pipelining ----

test('a hundred calls in one heap are made once each and answered in their order', async () => {
  const words = Array.from({ length: 100 }, (_, i) => `heap${i}`)
  const heard = await exchange(port, words.slice(0, -1).map((w) => call(w)).join('') + call(words.at(-1), LAST))
  assert.deepEqual(says(heard), words)
  assert.deepEqual([...new Set(words.map(called))], [1])
})

test('in a heap, what stands before a malformed request is answered, and nothing behind it is looked at', async () => {
  const heard = await exchange(port, call('before1') + call('before2') + livez('X : y\r\n\r\n') + call('behind'))
  assert.deepEqual(says(heard), ['before1', 'before2'])
  assert.deepEqual(answers(heard), ['HTTP/1.1 200 ', 'HTTP/1.1 200 ', 'HTTP/1.1 400 '])
  assert.equal(called('behind'), 0)
})

test('requests that come a byte at a time are read like those in one piece', async () => {
  const c = open(port)
  for (const byte of call('slowly') + call('slowly', LAST)) {
    c.socket.write(byte)
    await new Promise(setImmediate)
  }
  await until('the end', () => c.closed)
  assert.deepEqual(says(c.heard), ['slowly', 'slowly'])
})

// ---- bounds, exactly and one over ----

async function status(bytes) {
  const heard = await exchange(port, bytes)
  assert.equal(answers(heard).length, 1, heard)
  return { status: Number(heard.slice(9, 12)), code: /"(?:error|code)":"(\w+)"/.exec(heard)?.[1], heard }
}
const padded = (n) => {
  const begin = livez(`${LAST}X: `)
  return `${begin}${'x'.repeat(n - begin.length - 4)}\r\n\r\n`
}
const bodyOf = (n) => {
  const begin = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"'
  return `${begin}${'x'.repeat(n - begin.length - 3)}"}}`
}
const post = (fields, rest) => `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
  `Accept: application/json, text/event-stream\r\n${LAST}${fields}\r\n${rest}`
const chunks = (text, size) => (text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []).map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join('') + '0\r\n\r\n'

const BOUNDS = {
  'a head of 16384 bytes': [() => padded(16384), () => padded(16385)],
  'a target of 4096 bytes': [() => livez(`${LAST}\r\n`, `/livez?${'q'.repeat(4096 - 7)}`), () => livez(`${LAST}\r\n`, `/livez?${'q'.repeat(4096 - 6)}`)],
  '64 fields': [() => livez(`${LAST}${'X: y\r\n'.repeat(62)}\r\n`), () => livez(`${LAST}${'X: y\r\n'.repeat(63)}\r\n`)],
  'a body of limits.body_bytes': [() => post(`Content-Length: ${BODY}\r\n`, bodyOf(BODY)), () => post(`Content-Length: ${BODY + 1}\r\n`, bodyOf(BODY + 1))],
  'chunks of limits.body_bytes': [() => post('Transfer-Encoding: chunked\r\n', chunks(bodyOf(BODY), 1000)), () => post('Transfer-Encoding: chunked\r\n', chunks(bodyOf(BODY + 1), 1000))],
  'one chunk of limits.body_bytes': [() => post('Transfer-Encoding: chunked\r\n', chunks(bodyOf(BODY), BODY)), () => post('Transfer-Encoding: chunked\r\n', chunks(bodyOf(BODY + 1), BODY + 1))],
}
for (const [what, [at, over]] of Object.entries(BOUNDS))
  test(`${what} is taken; one more is over_bound`, async () => {
    const taken = await status(at())
    assert.equal(taken.status, 200, taken.heard)
    const refused = await status(over())
    assert.deepEqual([refused.status, refused.code], [413, 'over_bound'], refused.heard)
    assert.match(refused.heard, /larger than \d+ bytes|longer than \d+ bytes|more than \d+ fields/)
    assert.match(refused.heard, /\r\nConnection: close\r\n/)
  })

test('a body that is announced too large is refused before any of it comes', async () => {
  const heard = await exchange(port, post('Content-Length: 99999999\r\nExpect: 100-continue\r\n', ''))
  assert.match(heard, /^HTTP\/1\.1 413 /)
  assert.ok(!heard.includes('100 Continue'))
})

// ---- who does not read ----

const memory = () => figures(gate.daemon.pid)
const fine = async () => (await gate.call(token, 'raw__t', { say: 'ok' }, { headers: { connection: 'close' } })).json.result.content[0].text

test('clients that call for much and read nothing hold one answer each; the others are answered; nothing is left of them', async () => {
  assert.equal(await fine(), 'ok')
  await until('the search index to have its files open', () => gate.json(['status']).audit.indexed > 0)
  const was = memory()
  const bytes = callBytes({ port, token, name: 'raw__big' }).repeat(20)
  const deaf = Array.from({ length: 10 }, () => open(port, bytes, { read: false }))
  await until('their calls to be made', () => raw.seen.filter((s) => s.message?.params?.name === 'big').length >= 20)
  await sleep(300)
  for (let i = 0; i < 5; i++) assert.equal(await fine(), 'ok')
  const held = memory()
  assert.ok(grown(was, held) < 10 * 2 * 4 + 32, `it holds ${grown(was, held)} MiB for 10 clients that do not read 2 MiB each`)
  for (const c of deaf) c.socket.destroy()
  await until('their connections to be gone', () => memory().fds <= was.fds + 2)
})

test('a client that pipelines without reading is not read on: the memory does not grow with what it sends', async () => {
  const was = memory()
  const c = open(port, '', { read: false })
  const block = livez('\r\n').repeat(2000)
  let sent = 0
  for (const end = Date.now() + 1500; Date.now() < end && !c.closed;) {
    if (c.socket.write(block)) sent += block.length
    else await Promise.race([new Promise((done) => c.socket.once('drain', done)), sleep(100)])
  }
  assert.equal(await fine(), 'ok')
  assert.ok(grown(was, memory()) < 32, `it grew by ${grown(was, memory())} MiB for ${sent} bytes`)
  c.socket.destroy()
})

// ---- who says half ----

test('two thousand connections that say half a head or nothing cost little, disturb nobody, and are closed at their deadline', async () => {
  const was = memory()
  const began = Date.now()
  const half = Array.from({ length: 1000 }, () => open(port, livez('X: y')))
  const silent = Array.from({ length: 1000 }, () => open(port))
  await until('all to be open', () => memory().fds >= was.fds + 2000)
  const held = memory()
  assert.ok(grown(was, held) < 32, `it grew by ${grown(was, held)} MiB`)
  const slow = open(port, livez()) // a byte each second keeps nobody's place
  const drip = setInterval(() => slow.socket.write('x'), 1000)
  for (let i = 0; i < 20; i++) {
    const asked = Date.now()
    assert.equal(await fine(), 'ok')
    assert.ok(Date.now() - asked < 2000)
  }
  await until('all to be closed', () => [...half, ...silent, slow].every((c) => c.closed), 20000)
  clearInterval(drip)
  assert.ok(Date.now() - began > 8000, 'nobody is cut before the ten seconds of a head')
  for (const c of [...half, slow]) assert.match(c.heard, /^HTTP\/1\.1 408 [^]*"error":"over_bound"/)
  for (const c of silent) assert.equal(c.heard, '')
  await until('their descriptors to be back', () => memory().fds <= was.fds + 2)
})

test('after all of that the record verifies', () => {
  assert.equal(gate.cli(['audit', 'verify', '--dir', `${gate.dir}/data/audit`]).status, 0)
})
