// doorward connect: what it prints is a configuration of the client's own form, and a real client gets through with it.
// areas: cli
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { DESK, DOORWARD, startGate } from './lib/gate.mjs'

let gate, agent, dir

before(async () => {
  gate = await startGate({ servers: { desk: DESK } })
  agent = await gate.agent({ allow: ['desk/search_faq'], more: ['--max-sessions', '50'] })
})
after(async () => {
  rmSync(dir, { recursive: true, force: true })
  await gate?.stop()
})
beforeEach(() => {
  if (dir) rmSync(dir, { recursive: true, force: true })
  dir = mkdtempSync(join(tmpdir(), "doorward's connect-")) // a path that a shell must not take apart
})

const asAgent = () => ['--url', gate.url, '--agent', agent.id, '--key', agent.key]

function run(args) {
  return spawnSync(DOORWARD, args, { encoding: 'utf8', cwd: dir, timeout: 30000, env: { PATH: process.env.PATH, HOME: dir } })
}

function printed(client, ...more) {
  const r = run(['connect', client, ...asAgent(), ...more])
  assert.equal(r.status, 0, r.stderr)
  return { config: JSON.parse(r.stdout), note: r.stderr }
}

// What the client would do with the entry: connect, list the tools, call one.
async function callsATool(url, headers) {
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  return calls(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
}

async function callsAToolThrough({ command, args }) {
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js')
  return calls(new StdioClientTransport({ command, args, env: {}, cwd: '/' })) // as little as a desktop program has
}

async function calls(transport) {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const client = new Client({ name: 'connected', version: '1.0.0' })
  await client.connect(transport)
  const { tools } = await client.listTools()
  const name = tools.find((t) => t.name.endsWith('search_faq')).name
  const result = await client.callTool({ name, arguments: { query: 'refund' } })
  await client.close()
  assert.ok(!result.isError && result.content.length)
  return name
}

const shell = (command) => execFileSync('sh', ['-c', command], { encoding: 'utf8', env: { PATH: process.env.PATH } }).trim()

test('Claude Code: the headers helper lets a client in', async () => {
  const { doorward } = printed('claude-code').config.mcpServers
  assert.equal(doorward.type, 'http')
  assert.equal(await callsATool(doorward.url, JSON.parse(shell(doorward.headersHelper))), 'desk__search_faq')
})

test('one server alone has an endpoint and an entry of its own', async () => {
  const entry = printed('claude-code', '--server', 'desk').config.mcpServers['doorward-desk']
  assert.equal(entry.url, `${gate.url}/mcp/desk`)
  assert.equal(await callsATool(entry.url, JSON.parse(shell(entry.headersHelper))), 'search_faq')
})

test('the helper works from a key whose path has spaces and quotes', async () => {
  const key = join(dir, 'the key.jwk')
  writeFileSync(key, readFileSync(agent.key), { mode: 0o600 })
  const r = run(['connect', 'claude-code', '--url', gate.url, '--agent', agent.id, '--key', 'the key.jwk'])
  const { doorward } = JSON.parse(r.stdout).mcpServers
  assert.match(JSON.parse(shell(doorward.headersHelper)).Authorization, /^Bearer /)
})

for (const [client, member] of [['cursor', 'mcpServers'], ['claude-desktop', 'mcpServers'], ['json', 'mcpServers'], ['vscode', 'servers']]) {
  test(`${client} starts the bridge, from a key whose path has spaces and quotes`, async () => {
    const key = join(dir, 'the key.jwk')
    writeFileSync(key, readFileSync(agent.key), { mode: 0o600 })
    const r = run(['connect', client, '--url', gate.url, '--agent', agent.id, '--key', 'the key.jwk'])
    assert.match(r.stderr, /starts doorward bridge/)
    const { type, ...entry } = JSON.parse(r.stdout)[member].doorward
    assert.equal(type, client === 'vscode' ? 'stdio' : undefined)
    assert.deepEqual(entry, { command: DOORWARD, args: ['bridge', '--url', gate.url, '--agent', agent.id, '--key', key] })
    assert.equal(await callsAToolThrough(entry), 'desk__search_faq')
  })
}

test('the bridge to one server alone', async () => {
  const entry = printed('cursor', '--server', 'desk').config.mcpServers['doorward-desk']
  assert.equal(await callsAToolThrough(entry), 'search_faq')
})

test('nothing that is printed or written holds a token or a key', () => {
  const { d } = gate.privateJwk(agent)
  for (const client of ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'json']) {
    const r = run(['connect', client, ...asAgent()])
    assert.ok(!`${r.stdout}${r.stderr}`.includes(d), client)
    assert.doesNotMatch(r.stdout, /eyJ/, client)
  }
})

test('--write puts it into the client\'s file beside what is there, and keeps a copy', () => {
  const file = join(dir, '.cursor/mcp.json')
  mkdirSync(join(dir, '.cursor'))
  const old = '{\n  // mine\n  "mcpServers": {\n    "linear": { "url": "https://mcp.linear.app/mcp" }, // keep\n  },\n}\n'
  writeFileSync(file, old, { mode: 0o640 })
  const r = run(['connect', 'cursor', ...asAgent(), '--write', '--yes'])
  assert.equal(r.status, 0, r.stderr)
  assert.match(r.stdout, /^\+ {4}"doorward": \{$/m)
  const now = readFileSync(file, 'utf8')
  const head = old.slice(0, old.indexOf('  },\n}'))
  assert.ok(now.startsWith(head) && now.endsWith('  },\n}\n'), now)
  assert.match(now, /"args": \["bridge",/)
  assert.equal(statSync(file).mode & 0o777, 0o640)
  const kept = readdirSync(join(dir, '.cursor')).find((n) => n.startsWith('mcp.json.before-doorward-'))
  assert.equal(readFileSync(join(dir, '.cursor', kept), 'utf8'), old)
  const again = run(['connect', 'cursor', ...asAgent(), '--write', '--yes'])
  assert.match(again.stderr, /says so already/)
})

test('the change that is shown does not show the secrets around it', () => {
  mkdirSync(join(dir, '.cursor'))
  const old = { mcpServers: { github: { command: 'x', env: { API_KEY: 'shown-nowhere', HOST: 'example.com' } } } }
  writeFileSync(join(dir, '.cursor/mcp.json'), JSON.stringify(old, null, 2))
  const r = run(['connect', 'cursor', ...asAgent(), '--write', '--yes'])
  assert.doesNotMatch(r.stdout + r.stderr, /shown-nowhere/)
  assert.match(r.stdout, /"HOST": "example.com"/)
  writeFileSync(join(dir, '.cursor/mcp.json'), JSON.stringify({ more: 'x'.repeat(400), ...old })) // all on one line
  assert.doesNotMatch(run(['connect', 'cursor', ...asAgent(), '--write', '--yes']).stdout, /^-.*shown-nowhere/m)
})

test('--write makes the file when there is none, and asks before', () => {
  const unasked = run(['connect', 'claude-code', ...asAgent(), '--write'])
  assert.equal(unasked.status, 1)
  assert.match(unasked.stderr, /--yes says yes/)
  assert.equal(existsSync(join(dir, '.mcp.json')), false)
  assert.equal(run(['connect', 'claude-code', ...asAgent(), '--write', '--yes']).status, 0)
  assert.ok(JSON.parse(readFileSync(join(dir, '.mcp.json'), 'utf8')).mcpServers.doorward.headersHelper)
  const elsewhere = join(dir, 'mcp.json')
  assert.equal(run(['connect', 'vscode', ...asAgent(), '--write', '--yes', '--file', elsewhere]).status, 0)
  run(['connect', 'vscode', '--url', 'http://127.0.0.1:1', '--agent', 'b', '--key', agent.key, '--write', '--yes', '--file', elsewhere])
  const { servers } = JSON.parse(readFileSync(elsewhere, 'utf8'))
  assert.equal(servers.doorward.args[2], 'http://127.0.0.1:1')
})

test('what is mistyped is told', () => {
  for (const [args, says] of [
    [['connect', 'emacs', ...asAgent()], /there is no client emacs; there are claude-code, /],
    [['connect', 'cursor', '--agent', 'a'], /--key FILE must be given/],
    [['connect', 'cursor', '--agent', 'a', '--key', 'gone'], /--key gone: No such file/],
    [['connect', 'cursor', '--url', 'http://h/$(id)', '--agent', 'a', '--key', agent.key], /--url must be the gateway's address/],
    [['connect', 'json', ...asAgent(), '--write'], /--file FILE/],
  ]) {
    const r = run(args)
    assert.ok(r.status === 2 || r.status === 1, r.stderr)
    assert.match(r.stderr, says)
    assert.equal(r.stdout, '')
  }
})
