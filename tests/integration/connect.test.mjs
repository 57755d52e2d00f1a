// doorward connect: what it prints is a configuration of the client's own form, and a real client gets through with it.
// areas: cli
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

// What the client would do with the entry: connect with these headers, list the tools, call one.
async function callsATool(url, headers) {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  const client = new Client({ name: 'connected', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
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

test('Cursor and the generic form take the token from the environment; the note says how it gets there', async () => {
  for (const [client, placeholder] of [['cursor', '${env:DOORWARD_TOKEN}'], ['json', '${DOORWARD_TOKEN}']]) {
    const { config, note } = printed(client)
    const { url, headers } = config.mcpServers.doorward
    assert.equal(headers.Authorization, `Bearer ${placeholder}`)
    const token = shell(/DOORWARD_TOKEN=\$\((.*)\)/.exec(note)[1])
    await callsATool(url, { Authorization: headers.Authorization.replace(placeholder, token) })
  }
})

test('VS Code asks for the token by an input of the same id', async () => {
  const { config, note } = printed('vscode')
  const { type, url, headers } = config.servers.doorward
  assert.equal(type, 'http')
  const id = /^Bearer \$\{input:(.*)\}$/.exec(headers.Authorization)[1]
  const input = config.inputs.find((i) => i.id === id)
  assert.equal(input.type, 'promptString')
  assert.equal(input.password, true)
  await callsATool(url, { Authorization: `Bearer ${shell(note.trim().split('\n').at(-1))}` })
})

test('Claude Desktop starts the mcp-remote bridge with a fresh token in its environment, not among its arguments', async () => {
  const { config, note } = printed('claude-desktop')
  assert.match(note, /stdio servers only.*mcp-remote/s)
  const { command, args } = config.mcpServers.doorward
  const bin = join(dir, 'bin')
  mkdirSync(bin) // npx, looked at: what it is started with
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nprintf "%s\\n" "$DOORWARD_AUTH" "$@"\n')
  chmodSync(join(bin, 'npx'), 0o755)
  const [auth, ...given] = execFileSync(command, args, { encoding: 'utf8', env: { PATH: `${bin}:${process.env.PATH}` } }).trim().split('\n')
  assert.deepEqual(given, ['-y', 'mcp-remote', `${gate.url}/mcp`, '--transport', 'http-only', '--header', 'Authorization:${DOORWARD_AUTH}'])
  await callsATool(given[2], { Authorization: auth })
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
  assert.match(now, /\$\{env:DOORWARD_TOKEN\}/)
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
  const { servers, inputs } = JSON.parse(readFileSync(elsewhere, 'utf8'))
  assert.equal(servers.doorward.url, 'http://127.0.0.1:1/mcp')
  assert.equal(inputs.length, 1)
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
