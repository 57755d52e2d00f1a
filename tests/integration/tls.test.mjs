// TLS for agents and operators, as clients see it: node's, the MCP SDKs' and openssl's.
// areas: net, conf, daemon, cli
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { authority, CERTS } from './lib/certs.mjs'
import { DESK, DOORWARD, startGate, until } from './lib/gate.mjs'

const FAQ = ['desk__search_faq', { query: 'return' }]
const ca = authority('Doorward tests'), strangers = authority('Strangers')
const server = ca.issue('door')
const inForce = { certificate: join(CERTS, 'in-force.pem'), key: join(CERTS, 'in-force.key') }
tls.setDefaultCACertificates([ca.pem.toString()])

// What a renewal does: other bytes under the same names.
function install({ certificate, key }) {
  copyFileSync(certificate, inForce.certificate)
  copyFileSync(key, inForce.key)
  chmodSync(inForce.key, 0o600)
}

const withCa = (env = {}) => Object.assign(process.env, { DOORWARD_CA: ca.ca, ...env })
const reload = (gate) => gate.operator('POST', '/reload')

let gate, agent, token
before(async () => {
  withCa()
  install(server)
  gate = await startGate({ servers: { desk: DESK }, tls: inForce, admin: { tls: inForce },
                           session: { max_tool_calls: 100000, rate: '1000000/minute' } })
  agent = await gate.agent({ allow: ['desk/search_faq'], more: ['--max-sessions', '100'] })
  token = gate.token(agent)
})
after(async () => gate?.stop())

test('MCP clients of both eras call a tool over https', async () => {
  for (const client of [await gate.modernClient(token), await gate.legacyClient(token)]) {
    const { content } = await client.callTool({ name: FAQ[0], arguments: FAQ[1] })
    assert.match(content[0].text, /return/i)
    await client.close()
  }
})

test('with TLS the gateway knows itself by an https URL', async () => {
  const { resource, authorization_servers } = await (await fetch(`${gate.url}/.well-known/oauth-protected-resource/mcp`)).json()
  assert.deepEqual([resource, authorization_servers], [`${gate.url}/mcp`, [gate.url]])
  assert.match(gate.url, /^https:/)
})

test('the command line believes the authority that --ca names, and no gateway that nobody vouches for', () => {
  const ask = (args) => spawnSync(DOORWARD, ['token', '--url', gate.url, '--agent', agent.id, '--key', agent.key, ...args],
                                  { encoding: 'utf8', env: { ...process.env, DOORWARD_CA: '' } })
  assert.equal(ask(['--ca', ca.ca]).status, 0)
  for (const args of [[], ['--ca', strangers.ca]]) {
    const r = ask(args)
    assert.deepEqual([r.status, r.stdout], [1, ''])
    assert.match(r.stderr, /not to be trusted.*--ca FILE/)
  }
})

test('the bridge brings a client over https', () => {
  const hello = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } }
  const r = spawnSync(DOORWARD, ['bridge', '--url', gate.url, '--agent', agent.id, '--key', agent.key, '--ca', ca.ca],
                      { encoding: 'utf8', input: JSON.stringify(hello) + '\n', timeout: 10000 })
  assert.equal(JSON.parse(r.stdout.split('\n')[0]).result.protocolVersion, '2025-11-25', r.stderr)
})

test('on the gateway\'s machine the command line knows it by its key, whatever its certificate is for', async () => {
  const status = (...args) => spawnSync(DOORWARD, ['status', ...args, '--json'], { encoding: 'utf8', cwd: gate.dir, env: { ...process.env, DOORWARD_CA: '' } })
  install(strangers.issue('elsewhere', { san: 'DNS:elsewhere.example' }))
  assert.equal(status('-c', gate.file).status, 0) // the file of the next certificate is there, and not yet in force
  assert.equal((await reload(gate)).status, 200)
  const own = status('-c', gate.file)
  assert.equal(JSON.parse(own.stdout).ready, true)
  writeFileSync(join(gate.dir, 'data/operator.pin'), 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')
  assert.notEqual(status('-c', gate.file).status, 0) // somebody else on that port gets no token
  install(server)
  gate.daemon.kill('SIGHUP')
  await until('the certificate to be back', async () => (await fetch(`${gate.url}/livez`)).ok)
  await until('the operators\' API to be known again', () => status('-c', gate.file).status === 0)
  assert.equal(status('--admin', `https://localhost:${gate.adminPort}`, '--ca', ca.ca, '--admin-token-file', join(gate.dir, 'data/operator.token')).status, 0)
})

test('certificates are told in the log, with their end', () => {
  const told = gate.log.split('\n').filter((l) => l.includes('"certificate"')).map((l) => JSON.parse(l))
  assert.deepEqual(told.slice(0, 2).map((t) => [t.listener, t.level]), [['agents', 'warn'], ['operators', 'warn']]) // seven days
  assert.ok(Date.parse(told[0].expires) > Date.now())
})

// ---- what is spoken ----

const sClient = (args, input = '') => {
  const r = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${gate.port}`, '-CAfile', ca.ca, ...args], { encoding: 'utf8', input, timeout: 10000 })
  return { ...r, out: r.stdout + r.stderr }
}

test('1.2 with forward secrecy and AEAD, 1.3, and nothing older or weaker', () => {
  for (const args of [['-tls1_3'], ['-tls1_2'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], ['-alpn', 'h2,http/1.1']]) {
    const r = sClient(args)
    assert.match(r.out, /Verify return code: 0 \(ok\)/, args.join(' '))
    if (args[0] === '-alpn') assert.match(r.out, /ALPN protocol: http\/1.1/)
  }
  for (const args of [['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0'],
                      ['-tls1_2', '-cipher', 'aNULL:eNULL:@SECLEVEL=0'], ['-alpn', 'h2']]) {
    const r = sClient(args)
    assert.match(r.out, /alert|no protocols available|no cipher/i, args.join(' '))
    assert.doesNotMatch(r.out, /Cipher is (ECDHE|AES|TLS_|AECDH|NULL)/, args.join(' '))
  }
})

test('a client that wants to renegotiate is refused', () => {
  const r = sClient(['-tls1_2'], 'R\n')
  assert.match(r.out, /RENEGOTIATING/)
  assert.match(r.out, /no renegotiation/)
})

test('sessions are resumed, also after a reload of the same certificate', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const visit = (session) => new Promise((done, fail) => {
      let given
      const socket = tls.connect({ host: '127.0.0.1', port: gate.port, ca: ca.pem, maxVersion, session }, () =>
        socket.write(`GET /livez HTTP/1.1\r\nHost: 127.0.0.1:${gate.port}\r\nConnection: close\r\n\r\n`))
      socket.on('session', (s) => (given = s))
      socket.on('error', fail).on('end', () => done({ session: given, reused: socket.isSessionReused() })).resume()
    })
    const first = await visit()
    assert.equal(first.reused, false)
    assert.equal((await visit(first.session)).reused, true, maxVersion)
    assert.equal((await reload(gate)).status, 200)
    assert.equal((await visit(first.session)).reused, true, `${maxVersion} after a reload`)
  }
})

const said = (port, bytes) => new Promise((done) => {
  let heard = ''
  const socket = connectPlain(port, '127.0.0.1', () => socket.write(bytes))
  socket.on('data', (d) => (heard += d.toString('latin1'))).on('error', () => done({ heard, how: 'reset' })).on('end', () => socket.end()).on('close', () => done({ heard, how: 'closed' }))
})

test('who speaks HTTP to the TLS port is told so, and anything else gets an alert; both are closed', async () => {
  for (const port of [gate.port, gate.adminPort]) {
    const http = await said(port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(http.how, 'closed')
    const [head, body] = http.heard.split('\r\n\r\n')
    assert.match(head, /^HTTP\/1.1 400 /)
    assert.equal(Number(/Content-Length: (\d+)/.exec(head)[1]), body.length)
    assert.match(JSON.parse(body).message, /https:\/\//)
  }
  const noise = await said(gate.port, '\u0016\u0003\u0001\u0000\u0010nonsense, and enough of it to be a record of some kind')
  assert.deepEqual([noise.how, noise.heard[0]], ['closed', '\x15'])
})

// ---- who connects ----

test('where a certificate is required, none and a stranger\'s are no connection, and a good one is no credential', async () => {
  const access = join(CERTS, 'access.log')
  const strict = await startGate({ servers: { desk: DESK }, log: { access }, tls: { ...inForce, client_ca: ca.ca, client: 'required' },
                                   admin: { tls: { ...inForce, client_ca: ca.ca, client: 'required' } } }, { waitReady: false })
  const mine = ca.issue('agent-7', { san: 'URI:spiffe://tests/agent-7' }), foreign = strangers.issue('agent-7')
  const get = (pair, path = '/readyz', method = 'GET') => new Promise((done) => {
    const req = request({ host: '127.0.0.1', port: strict.port, path, method, ca: ca.pem, agent: false, ...pair }, (res) => res.resume().on('end', () => done(res.statusCode)))
    req.on('error', (e) => done(e.code)).end()
  })
  try {
    await until('the gate to be ready', async () => (await get(mine.pem)) === 200)
    for (const pair of [{}, foreign.pem]) assert.match(await get(pair), /ERR_SSL|ECONNRESET|EPIPE/)
    assert.equal(await get(mine.pem, '/mcp', 'POST'), 401)
    await until('the access log to say who that was', () => readFileSync(access, 'utf8').split('\n').some((l) =>
      l && JSON.parse(l).path === '/mcp' && JSON.parse(l).certificate === 'URI:spiffe://tests/agent-7'))
    assert.notEqual(strict.cli(['status', '-c', strict.file], { ok: false }).status, 0)
    assert.equal(strict.cli(['status', '-c', strict.file, '--certificate', mine.both]).status, 0)
  } finally {
    await strict.stop()
  }
})

test('where one is optional, none is well and a stranger\'s is not', async () => {
  const mild = await startGate({ servers: {}, tls: { ...inForce, client_ca: ca.ca, client: 'optional' } })
  const live = (who) => new Promise((done, fail) => {
    const own = who && { cert: readFileSync(who.both), key: readFileSync(who.both) }
    const asked = request(`${mild.url}/livez`, { ca: ca.pem, agent: false, ...own }, async (res) => {
      try {
        done(Buffer.concat(await res.toArray()).toString())
      } catch (e) {
        fail(e)
      }
    })
    asked.on('error', fail).end()
  })
  try {
    assert.equal(await live(), '{"live":true}')
    assert.equal(await live(ca.issue('a')), '{"live":true}')
    await assert.rejects(live(strangers.issue('a')), { code: /^(ERR_SSL_|ECONNRESET|EPIPE)/ })
  } finally {
    await mild.stop()
  }
})

// ---- faults and changes ----

const broken = () => {
  const good = ca.issue('good'), other = ca.issue('other'), late = ca.issue('late', { days: -1 })
  const open = join(CERTS, 'open.key'), noise = join(CERTS, 'noise.pem'), locked = join(CERTS, 'locked.key')
  copyFileSync(good.key, open)
  chmodSync(open, 0o644)
  writeFileSync(noise, 'no certificate\n')
  execFileSync('openssl', ['ec', '-in', good.key, '-aes256', '-passout', 'pass:secret', '-out', locked], { stdio: 'ignore' })
  chmodSync(locked, 0o600)
  return [[{ certificate: late.certificate, key: late.key }, /late.*expired on \d{4}-/], [{ certificate: good.certificate, key: other.key }, /other.*does not belong to/],
          [{ certificate: good.certificate, key: open }, /open\.key.*mode 0644.*chmod 600/], [{ certificate: join(CERTS, 'nowhere.pem'), key: good.key }, /nowhere\.pem: No such file/],
          [{ certificate: noise, key: good.key }, /noise\.pem: holds no certificate/], [{ certificate: good.certificate, key: noise }, /noise\.pem/],
          [{ certificate: good.certificate, key: locked }, /passphrase/], [{ certificate: good.certificate }, /has no key/],
          [{ ...inForce, client: 'required' }, /no client_ca/], [{ ...inForce, client_ca: ca.ca }, /client must be optional or required/]]
}

test('each fault of a certificate is named with its file before anything starts', () => {
  for (const [at, words] of broken()) {
    const file = join(CERTS, 'faulty.yaml')
    writeFileSync(file, JSON.stringify({ tls: at, servers: {} }))
    const r = spawnSync(DOORWARD, ['config', 'check', '-c', file], { encoding: 'utf8' })
    assert.equal(r.status, 1, JSON.stringify(at))
    assert.match(r.stdout + r.stderr, words)
    assert.match(r.stdout + r.stderr, /faulty\.yaml:\d+:\d+: tls: /)
  }
})

test('a broken renewal changes nothing and says why', async () => {
  copyFileSync(ca.issue('late', { days: -1 }).certificate, inForce.certificate)
  const { status, json } = await reload(gate)
  assert.equal(status, 400)
  assert.ok(json.faults.some((f) => /tls: .*(expired|belong)/.test(f)), json.faults.join('\n'))
  assert.equal((await gate.call(token, ...FAQ)).status, 200)
  install(server)
})

test('TLS does not go or come while the gateway runs', async () => {
  const { tls: was, admin } = gate.config
  gate.write({ tls: undefined, public_url: gate.url })
  const { status, json } = await reload(gate)
  assert.equal(status, 400)
  assert.ok(json.faults.some((f) => f.includes('tls: cannot change')), json.faults.join('\n'))
  gate.write({ tls: was, admin, public_url: undefined })
  assert.equal((await reload(gate)).status, 200)
})

test('a certificate is swapped under load: new connections see it, open ones stay, and no call fails', async () => {
  const shown = () => new Promise((done, fail) => {
    const socket = tls.connect({ host: '127.0.0.1', port: gate.port, ca: ca.pem }, () => {
      done(socket.getPeerCertificate().subject.CN)
      socket.end()
    }).on('error', fail)
  })
  let busy = true
  const answers = { kept: [], fresh: [] }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: FAQ[0], arguments: FAQ[1], _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
  const headers = gate.headers(token, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': FAQ[0] })
  const fresh = () => new Promise((done) => {
    const req = request({ host: '127.0.0.1', port: gate.port, path: '/mcp', method: 'POST', ca: ca.pem, agent: false, headers },
      (res) => res.resume().on('end', () => done(res.statusCode)))
    req.on('error', (e) => done(e.message)).end(body)
  })
  const callers = [1, 2].flatMap(() => [
    (async () => { while (busy) answers.kept.push((await gate.call(token, ...FAQ).catch((e) => ({ status: e.message }))).status) })(),
    (async () => { while (busy) answers.fresh.push(await fresh()) })()])
  const kept = tls.connect({ host: '127.0.0.1', port: gate.port, ca: ca.pem })
  await new Promise((done) => kept.once('secureConnect', done))
  for (let i = 0; i < 6; i++) {
    install(ca.issue(`door-${i}`, { rsa: i % 2 === 1 }))
    if (i % 2) gate.daemon.kill('SIGHUP')
    else assert.equal((await reload(gate)).status, 200)
    await until('the new certificate', async () => (await shown()) === `door-${i}`)
  }
  await until('some calls', () => answers.kept.length > 50 && answers.fresh.length > 20)
  busy = false
  await Promise.all(callers)
  assert.deepEqual([new Set(answers.kept), new Set(answers.fresh)], [new Set([200]), new Set([200])])
  const heard = new Promise((done) => kept.once('data', (d) => done(d.toString())))
  kept.write(`GET /livez HTTP/1.1\r\nHost: 127.0.0.1:${gate.port}\r\n\r\n`)
  assert.match(await heard, /^HTTP\/1.1 200/) // opened before all of them
  kept.destroy()
})
