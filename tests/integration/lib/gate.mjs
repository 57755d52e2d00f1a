// A gate for one test: a real daemon in a directory of its own, real agents with keys of their own.
//
//   const gate = await startGate({ servers: { desk: DESK } })
//   const agent = await gate.agent({ allow: ['desk/lookup_order'] })
//   const client = await gate.modernClient(await gate.token(agent))
//   ...
//   await gate.stop()
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

const here = dirname(fileURLToPath(import.meta.url))
export const TOP = resolve(here, '../../..')
export const BUILD = resolve(process.env.DOORWARD_BUILD ?? join(TOP, 'build'))
export const DOORWARD = join(BUILD, 'doorward')
export const DESK = { command: ['python3', join(TOP, 'examples/support/server.py')] }
const modules = join(TOP, 'tests/node_modules')

// The servers of the field, run by the node that runs the tests.
export const npmServer = (name, ...args) => ({
  command: [process.execPath, join(modules, '@modelcontextprotocol', name, 'dist/index.js'), ...args],
})

export async function freePort() {
  const server = createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

// Waits until `probe` returns something truthy; fails with `what` after ms.
export async function until(what, probe, ms = 15000) {
  const end = Date.now() + ms
  let last
  while (Date.now() < end) {
    try {
      const value = await probe()
      if (value) return value
    } catch (e) {
      last = e
    }
    await sleep(50)
  }
  throw new Error(`waited ${ms} ms for ${what}${last ? `; last: ${last.message}` : ''}`)
}

// What no pattern of its configuration says more of is of low risk: a test that is not about people waits for none. `risk: 'unset'` in its
// "*/*" says nothing, as without.
const withRisk = (tools = {}) => {
  const { '*/*': all, ...others } = tools
  return { ...others, '*/*': { risk: 'low', ...all } } // last: of some things the first pattern that fits counts
}

// through: a command that starts the daemon, such as ['prlimit', '--nofile=100']; it runs in the gate's directory and ends as exec.
export async function startGate(config = {}, { waitReady = true, through = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'doorward-test-'))
  const port = await freePort()
  const adminPort = await freePort()
  const gate = new Gate(dir, port, adminPort, config)
  gate.through = through
  gate.write()
  await gate.start(waitReady)
  return gate
}

class Gate {
  constructor(dir, port, adminPort, config) {
    Object.assign(this, { dir, port, adminPort })
    this.config = { ...config, listen: `127.0.0.1:${port}`, admin: { ...config.admin, listen: `127.0.0.1:${adminPort}` },
                    data_dir: join(dir, 'data'), tools: withRisk(config.tools) }
    this.url = `http${config.tls ? 's' : ''}://127.0.0.1:${port}`
    this.admin = `http${config.admin?.tls ? 's' : ''}://127.0.0.1:${adminPort}`
    this.file = join(dir, 'doorward.yaml')
    this.log = ''
  }

  // JSON is YAML.
  write(changes = {}) {
    Object.assign(this.config, changes, changes.tools && { tools: withRisk(changes.tools) })
    writeFileSync(this.file, JSON.stringify(this.config, null, 2))
  }

  async start(waitReady = true) {
    const [program, ...args] = [...this.through, DOORWARD, 'serve', '-c', this.file]
    this.daemon = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: this.dir })
    this.daemon.stderr.on('data', (d) => (this.log += d))
    this.exited = new Promise((done) => this.daemon.on('exit', (code, signal) => done({ code, signal })))
    const kill = () => this.daemon.kill('SIGKILL') // a test that ends early leaves nothing behind
    process.on('exit', kill)
    let gone = false
    this.exited.then(() => {
      gone = true
      process.off('exit', kill)
    })
    if (waitReady)
      await until('the gate to be ready', async () => {
        if (gone) throw new Error(`the daemon ended: ${this.log}`)
        return (await fetch(`${this.url}/readyz`)).ok
      }).catch((e) => {
        kill()
        throw e
      })
  }

  async stop(signal = 'SIGTERM') {
    this.daemon.kill(signal)
    const late = setTimeout(() => this.daemon.kill('SIGKILL'), 20000)
    const how = await this.exited
    clearTimeout(late)
    if (process.env.DOORWARD_KEEP) console.error(`kept: ${this.dir}\n${this.log}`)
    else rmSync(this.dir, { recursive: true, force: true })
    if (/AddressSanitizer|runtime error:|LeakSanitizer|ThreadSanitizer/.test(this.log)) throw new Error(this.log)
    return how
  }

  // The command line against this gate. `ok: false` hands back a failure instead of throwing.
  cli(args, { ok = true, input } = {}) {
    const [first, ...rest] = args
    const r = spawnSync(DOORWARD, [first, ...rest], { encoding: 'utf8', input, cwd: this.dir, timeout: 30000, maxBuffer: 1 << 28 })
    if (ok && r.status !== 0) throw new Error(`doorward ${args.join(' ')}: exit ${r.status}\n${r.stdout}${r.stderr}`)
    return r
  }

  // The operators' API itself. token null: none.
  async operator(method, path, body, { token = this.operatorToken(), headers = {} } = {}) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const who = token === null ? {} : { authorization: `Bearer ${token}` }
    const res = await fetch(`${this.admin}/admin/v1${path}`, {
      method, headers: { ...type, ...who, ...headers }, body: body === undefined ? undefined : JSON.stringify(body) })
    return { status: res.status, headers: res.headers, json: await res.json() }
  }

  operatorToken() {
    return readFileSync(join(this.dir, 'data/operator.token'), 'utf8').trim()
  }

  json(args) {
    return JSON.parse(this.cli([...args, '-c', this.file, '--json']).stdout)
  }

  // Registers an agent whose key is made by the command line on the agent's side.
  async agent({ id = `agent-${Math.random().toString(36).slice(2, 8)}`, type = 'customer-support', allow = [], deny = [], more = [] } = {}) {
    const key = join(this.dir, `${id}.jwk`)
    this.cli(['agent', 'create', '-c', this.file, '--id', id, '--type', type, '--version', '2.4.1', '--owner', 'support-team',
              '--env', 'production', ...allow.flatMap((t) => ['--allow', t]), ...deny.flatMap((t) => ['--deny', t]),
              ...more, '--generate', '--key-file', key])
    return { id, key }
  }

  token(agent) {
    return this.cli(['token', '--url', this.url, '--agent', agent.id, '--key', agent.key]).stdout.trim()
  }

  // A session opened on the trusted side.
  open(agent, ...args) {
    return this.json(['session', 'open', '--agent', agent.id, ...args])
  }

  privateJwk(agent) {
    return JSON.parse(readFileSync(agent.key, 'utf8'))
  }

  audit() {
    return this.cli(['audit', 'tail', '--dir', join(this.dir, 'data/audit'), '-n', '100000', '--json']).stdout.trim().split('\n')
      .filter(Boolean).map((l) => JSON.parse(l))
  }

  // The newest entry that fits, as soon as it is on record: an answer does not wait for its outcome to be flushed.
  recorded(what, fits) {
    return until(`${what} on record`, () => this.audit().findLast(fits))
  }

  headers(token, more = {}) {
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json',
             accept: 'application/json, text/event-stream', ...more }
  }

  // One raw message of the 2026-07-28 revision.
  async modern(token, method, params = {}, { path = '/mcp', headers = {}, meta = {}, id = 1, signal } = {}) {
    const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {}, ...params._meta, ...meta } } }
    const name = params.name ? { 'mcp-name': params.name } : {}
    const all = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name, ...headers }
    const res = await fetch(this.url + path, { method: 'POST', headers: this.headers(token, all), body: JSON.stringify(body), signal })
    const text = await res.text()
    let json
    if ((res.headers.get('content-type') ?? '').startsWith('application/json')) json = JSON.parse(text)
    return { status: res.status, headers: res.headers, text, json }
  }

  call(token, name, args, options) {
    return this.modern(token, 'tools/call', { name, arguments: args }, options)
  }

  // @modelcontextprotocol/sdk 1.x: the legacy era.
  async legacyClient(token, path = '/mcp', capabilities = {}) {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
    const client = new Client({ name: 'test-legacy', version: '1.0.0' }, { capabilities })
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url + path),
      { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
    return client
  }

  // @modelcontextprotocol/client 2.x: the modern era.
  async modernClient(token, path = '/mcp', mode = { pin: '2026-07-28' }, capabilities = {}) {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
    const client = new Client({ name: 'test-modern', version: '1.0.0' }, { versionNegotiation: { mode }, capabilities })
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url + path),
      { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
    return client
  }
}
