// What is no strict HTTP/1.1 gets an error of the 400 class and a closed connection, on both listeners; and no request that is
// hidden in another one is ever handled, with a proxy in front either.
// areas: net
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, startGate, until } from './lib/gate.mjs'
import { answers, exchange } from './lib/raw.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(existsSync)
let gate, tools, token

before(async () => {
  tools = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: m.params.arguments.say }] } }
    : modernBasics(['t'], m)))
  gate = await startGate({ servers: { raw: { url: tools.url } } })
  token = gate.token(await gate.agent({ allow: ['raw/t'] }))
})

after(async () => {
  await gate?.stop()
  await tools?.stop()
})

// A whole, valid call with a credential; only its place makes it wrong.
function call(say, host) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'raw__t', arguments: { say }, _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } })
  return `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
    `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: raw__t\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const called = (say) => tools.seen.filter((s) => s.message?.params?.arguments?.say === say).length

// Each row is a beginning; the hidden call follows it.
const chunked = (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: chunked\r\n\r\n`
const MALFORMED = {
  'two different lengths': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`,
  'two equal lengths': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n`,
  'a signed length': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: +0\r\n\r\n`,
  'length and coding': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'an unknown coding': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'two codings': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'chunked not last': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'a chunk size with a sign': (h) => `${chunked(h)}+0\r\n\r\n`,
  'a chunk size with a space': (h) => `${chunked(h)}0 \r\n\r\n`,
  'a chunk size that overflows': (h) => `${chunked(h)}10000000000000000\r\n\r\n`,
  'a chunk extension': (h) => `${chunked(h)}0;a=b\r\n\r\n`,
  'a chunk extension with a line feed': (h) => `${chunked(h)}0;\n\r\n\r\n`,
  'a trailer that frames': (h) => `${chunked(h)}0\r\nContent-Length: 5\r\n\r\n`,
  'a list of lengths': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 0, 0\r\n\r\n`,
  'a negative length': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: -1\r\n\r\n`,
  'a length that overflows': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 18446744073709551616\r\n\r\n`,
  'two fields of codings': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a coding with a parameter': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`,
  'a coding behind a control byte': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  'a chunk size with a prefix': (h) => `${chunked(h)}0x0\r\n\r\n`,
  'a chunk without its size': (h) => `${chunked(h)}\r\n\r\n`,
  'chunks with bare LF': (h) => `${chunked(h)}1\nx\n0\n\n`,
  'a chunk that is longer than its size': (h) => `${chunked(h)}1\r\nxy\r\n0\r\n\r\n`,
  'a body over the bound in chunks': (h) => `${chunked(h)}${'100000\r\n'}${'x'.repeat(1 << 20)}\r\n1\r\nx\r\n0\r\n\r\n`,
  'a length over the bound': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length: 1048577\r\n\r\n`,
  'bare LF': (h) => `GET /livez HTTP/1.1\nHost: ${h}\n\n`,
  'bare CR': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX: a\rb\r\n\r\n`,
  'a continued line': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX: a\r\n b\r\n\r\n`,
  'a space before the colon': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nContent-Length : 0\r\n\r\n`,
  'NUL in a value': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX: a\0b\r\n\r\n`,
  'NUL in the target': (h) => `GET /livez\0 HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a control byte in a value': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX: a\x01b\r\n\r\n`,
  'a control byte in a name': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX\x01: y\r\n\r\n`,
  'a control byte in the target': (h) => `GET /livez\x7f HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a space in the target': (h) => `GET /livez x HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a tab instead of a space': (h) => `GET\t/livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a fragment in the target': (h) => `GET /livez#x HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a target that is no path': (h) => `GET livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a line without a colon': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nnothing\r\n\r\n`,
  'a field without a name': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\n: y\r\n\r\n`,
  'an empty line first': (h) => `\r\nGET /livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'the first field continued': (h) => `GET /livez HTTP/1.1\r\n Host: ${h}\r\n\r\n`,
  'two credentials': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`,
  'a Connection that names what frames': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nConnection: content-length\r\nContent-Length: 0\r\n\r\n`,
  'an expectation that there is not': (h) => `POST /mcp HTTP/1.1\r\nHost: ${h}\r\nExpect: more\r\nContent-Length: 0\r\n\r\n`,
  'an empty host': () => 'GET /livez HTTP/1.1\r\nHost:\r\n\r\n',
  'no host': () => 'GET /livez HTTP/1.1\r\n\r\n',
  'two hosts': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nHost: ${h}\r\n\r\n`,
  'a host with a path': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}/x\r\n\r\n`,
  'a host with userinfo': (h) => `GET /livez HTTP/1.1\r\nHost: u@${h}\r\n\r\n`,
  'absolute-form with another authority': (h) => `GET http://evil/livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'HTTP/0.9': () => 'GET /livez\r\n\r\n',
  'HTTP/1.0': (h) => `GET /livez HTTP/1.0\r\nHost: ${h}\r\n\r\n`,
  'HTTP/2.0': (h) => `GET /livez HTTP/2.0\r\nHost: ${h}\r\n\r\n`,
  'the preface of HTTP/2': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a lower-case method': (h) => `get /livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'an invented method': (h) => `GOT /livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'CONNECT': (h) => `CONNECT ${h} HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'TRACE': (h) => `TRACE /livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'an asterisk': (h) => `OPTIONS * HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a dot segment': (h) => `GET /x/../livez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'an encoded slash': (h) => `GET /x%2flivez HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'a target over the bound': (h) => `GET /${'a'.repeat(5000)} HTTP/1.1\r\nHost: ${h}\r\n\r\n`,
  'too many fields': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\n${'X: y\r\n'.repeat(70)}\r\n`,
  'an endless head': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nX: ${'x'.repeat(20000)}`,
  'more bytes behind Connection: close': (h) => `GET /livez HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
}

for (const listener of ['agents', 'operators'])
  test(`each malformed request to the ${listener}' listener is refused, and the connection closed`, async () => {
    const port = listener === 'agents' ? gate.port : gate.adminPort
    const host = `127.0.0.1:${port}`
    for (const [what, begin] of Object.entries(MALFORMED)) {
      const heard = await exchange(port, begin(host) + call('hidden', host))
      assert.match(heard, /^HTTP\/1\.1 4\d\d /, `${what}: ${heard}`)
      assert.match(heard, /\r\nConnection: close\r\n/, what)
      assert.equal(answers(heard).length, 1, `${what}: ${heard}`)
    }
    assert.equal(called('hidden'), 0)
    assert.equal(gate.daemon.exitCode, null)
    assert.ok((await fetch(`${gate.url}/livez`)).ok)
  })

test('the same call is made when it comes as a request of its own', async () => {
  const host = `127.0.0.1:${gate.port}`
  const heard = await exchange(gate.port, call('plain', host).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  assert.match(heard, /"text":"plain"/)
  assert.equal(called('plain'), 1)
})

// ---- behind a proxy that keeps its connections to the gate alive ----

async function startNginx() {
  const dir = mkdtempSync(join(tmpdir(), 'doorward-nginx-'))
  const port = await freePort()
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((k) => `${k}_temp_path ${dir}/${k};`).join(' ')
  writeFileSync(join(dir, 'nginx.conf'), `
    worker_processes 1; daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;
    events { worker_connections 64; }
    http { access_log off; ${temps} underscores_in_headers on; ignore_invalid_headers off;
      upstream gate { server 127.0.0.1:${gate.port}; keepalive 1; }
      server { listen 127.0.0.1:${port};
        location / { proxy_pass http://gate; proxy_http_version 1.1; proxy_set_header Connection "";
                     proxy_set_header Host 127.0.0.1:${gate.port}; } } }`)
  const child = spawn(NGINX, ['-c', join(dir, 'nginx.conf'), '-p', dir], { stdio: 'ignore' })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  const exited = new Promise((done) => child.on('exit', done))
  await until('nginx', async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok)
  return { port, stop: async () => {
    child.kill('SIGTERM')
    await exited
    process.off('exit', kill)
    rmSync(dir, { recursive: true, force: true })
  } }
}

// In the proxy's eyes the hidden call is always part of the first request, or the first request is an error.
const HIDDEN = {
  'in a body with a length': (hidden) => `POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'in the body of a GET': (hidden) => `GET /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'in the body of a HEAD': (hidden) => `HEAD /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'in chunks': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  'in a chunk with an extension': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)};a="\r\n${hidden}\r\n0\r\n\r\n`,
  'behind an expectation': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'behind an empty chunk, with a length too': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'behind a coding with a space before the colon': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length + 5}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'behind a coding with an underscore': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length + 5}\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'behind a continued coding': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length + 5}\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'behind a second length of another name': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length}\r\nContent_Length: 0\r\n\r\n${hidden}`,
  'behind a coding after a tab': (hidden) => `POST /livez HTTP/1.1\r\nHost: h\r\nContent-Length: ${hidden.length + 5}\r\nX: y\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'behind an upgrade': (hidden) => `GET /livez HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'in an encoded target': (hidden) => `GET /livez%20HTTP/1.1%0d%0a%0d%0a${encodeURIComponent(hidden).slice(0, 3000)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
}

test('a call hidden in a request that comes through nginx never reaches a handler', { skip: NGINX ? false : 'skipped: not there' }, async () => {
  const nginx = await startNginx()
  try {
    const hidden = call('smuggled', `127.0.0.1:${gate.port}`)
    for (const [what, wrap] of Object.entries(HIDDEN)) {
      const last = call(what, 'h').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
      await exchange(nginx.port, wrap(hidden) + 'GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
      const heard = await exchange(nginx.port, last) // on the connection that the first one may have spoiled
      assert.ok(heard.includes(`"text":"${what}"`), `${what}: ${heard}`)
      assert.equal(called('smuggled'), 0, what)
      assert.equal(called(what), 1, what)
    }
  } finally {
    await nginx.stop()
  }
})
