// Servers behind https://: who is believed, what is shown to them, and what an operator reads when they are not.
// areas: net, conf, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { authority } from './lib/certs.mjs'
import { startGate, until } from './lib/gate.mjs'
import { startHttps } from './lib/https_server.mjs'

const ca = authority('Upstreams'), strangers = authority('Strangers')
const url = (s, host = '127.0.0.1') => `https://${host}:${s.port}/mcp`
const mine = ca.issue('doorward', { san: '' })
let good, picky, late, misnamed, unknown, deaf, gate, token

before(async () => {
  good = await startHttps(ca.issue('good').pem)
  picky = await startHttps({ ...ca.issue('picky').pem, ca: ca.pem, requestCert: true })
  late = await startHttps(ca.issue('late', { days: -1 }).pem)
  misnamed = await startHttps(ca.issue('misnamed', { san: 'DNS:other.example' }).pem)
  unknown = await startHttps(strangers.issue('unknown').pem)
  deaf = await startHttps({ ...ca.issue('deaf').pem, ca: ca.pem, requestCert: true, maxVersion: 'TLSv1.2' })
  gate = await startGate({ servers: {
    good: { url: url(good), ca: ca.ca }, named: { url: url(good, 'localhost'), ca: ca.ca },
    picky: { url: url(picky), ca: ca.ca, client: { certificate: mine.certificate, key: mine.key } },
    late: { url: url(late), ca: ca.ca }, misnamed: { url: url(misnamed), ca: ca.ca }, unknown: { url: url(unknown), ca: ca.ca },
    system: { url: url(good) }, deaf: { url: url(deaf), ca: ca.ca } } }, { waitReady: false })
  const listed = async () => (await gate.operator('GET', '/status')).json.servers
  await until('all servers to be tried', async () => (await listed()).every((s) => s.state !== 'connecting'))
  token = gate.token(await gate.agent({ allow: ['good/echo', 'picky/echo', 'named/echo'] }))
})
after(async () => {
  await gate?.stop()
  for (const s of [good, picky, late, misnamed, unknown, deaf]) s?.close()
})

const call = async (server) => (await gate.call(token, `${server}__echo`, { text: server })).json?.result?.content?.[0]?.text

test('a server whose authority and name are right is called, by address and by name', async () => {
  assert.equal(await call('good'), 'good')
  assert.equal(await call('named'), 'named')
  const [first] = good.connections
  assert.deepEqual([first.protocol, first.alpn], ['TLSv1.3', 'http/1.1'])
  assert.deepEqual(new Set(good.connections.map((c) => c.name || '-')), new Set(['localhost', '-'])) // an address is no name to ask for
})

test('a server that asks who we are is shown our certificate', async () => {
  assert.equal(await call('picky'), 'picky')
  assert.equal(picky.connections[0].peer, 'doorward')
})

test('what is wrong with a server\'s certificate stands in its status and in the log', async () => {
  const servers = Object.fromEntries((await gate.operator('GET', '/status')).json.servers.map((s) => [s.name, s]))
  const faults = { late: /expired on \d{4}-/, misnamed: /not for 127\.0\.0\.1/, unknown: /authority that is not trusted/, system: /authority that is not trusted/ }
  for (const [name, words] of Object.entries(faults)) {
    assert.equal(servers[name].state, 'down', name)
    assert.match(servers[name].fault, words)
    assert.ok(gate.log.split('\n').some((l) => l.includes('server_down') && l.includes(`"${name}"`) && words.test(l)), name)
  }
  assert.equal(servers.deaf.state, 'down') // it wants a certificate, and none is configured for it
  assert.match(servers.deaf.fault, /TLS|closed the connection/)
})

test('a connection is kept, and the next one resumes the session', async () => {
  const before = good.connections.length
  for (let i = 0; i < 5; i++) assert.equal(await call('good'), 'good')
  assert.ok(good.connections.length <= before + 1)
  good.hangUp()
  await until('a new connection', async () => {
    assert.equal(await call('good'), 'good') // closed by the server, and no call was lost
    return good.connections.length > before
  })
  assert.ok(good.connections.slice(before).some((c) => c.resumed), JSON.stringify(good.connections))
})

test('another certificate of ours takes effect with a reload', async () => {
  const next = ca.issue('doorward-2', { san: '' })
  gate.write({ servers: { ...gate.config.servers, picky: { ...gate.config.servers.picky, client: { certificate: next.certificate, key: next.key } } } })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  await until('the server to be up again', async () => (await call('picky')) === 'picky')
  assert.equal(picky.connections.at(-1).peer, 'doorward-2')
})

test('ca and client go with https only, and each fault is named', async () => {
  const was = gate.config.servers
  gate.write({ servers: { a: { url: 'http://127.0.0.1:1/', ca: ca.ca }, b: { url: 'https://127.0.0.1:1/', ca: '/nowhere.pem' },
                          c: { url: 'https://127.0.0.1:1/', client: { certificate: mine.certificate } } } })
  const { status, json } = await gate.operator('POST', '/reload')
  assert.equal(status, 400)
  for (const words of [/servers\.a: ca and client go with an https/, /servers\.b: ca: \/nowhere\.pem/, /servers\.c\.client: has no key/])
    assert.ok(json.faults.some((f) => words.test(f)), `${words} in ${json.faults.join('\n')}`)
  gate.write({ servers: was })
})
