// doorward import: the configuration of each client, as its vendor documents it, becomes servers of doorward.yaml.
// areas: cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { DESK, DOORWARD, npmServer, startGate, until } from './lib/gate.mjs'

const GITHUB_TOKEN = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
const YAML = `# The door of team A.
listen: 127.0.0.1:8420   # loopback only
servers:
  # The desk stays.
  desk:
    command: [python3, "server.py"]   # in this folder

# Rules for tools.
tools:
  "desk/create_ticket": { rate: 10/minute }
`
let dir, gate

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'doorward-import-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
after(() => gate?.stop())

function file(name, content) {
  const path = join(dir, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  return path
}

const yaml = () => readFileSync(join(dir, 'doorward.yaml'), 'utf8')
const secret = (name) => readFileSync(join(dir, 'secrets', name), 'utf8')

function run(args, { env = {}, input } = {}) {
  return spawnSync(DOORWARD, args,
    { encoding: 'utf8', cwd: dir, input, timeout: 30000, env: { PATH: process.env.PATH, HOME: join(dir, 'home'), ...env } })
}

// Imports, and hands back what the daemon would read.
function imported(args, env = {}) {
  const r = run(['import', ...args, '--yes'], { env })
  assert.equal(r.status, 0, r.stderr)
  const shown = run(['config', 'show'], { env })
  assert.equal(shown.status, 0, shown.stderr)
  return { servers: JSON.parse(shown.stdout).servers, ...r }
}

// Every file's name and bytes, to be compared.
function everything() {
  return Object.fromEntries(readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name)).sort().map((path) => [path, readFileSync(path, 'utf8')]))
}

const DESKTOP = { globalShortcut: '', mcpServers: {
  filesystem: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/shared'] },
  'GitHub (work)': { command: 'docker', args: ['run', '-i', 'ghcr.io/github/github-mcp-server'],
                     env: { GITHUB_PERSONAL_ACCESS_TOKEN: GITHUB_TOKEN, GITHUB_HOST: 'github.example.com' } } } }

test('Claude Desktop: commands with their arguments and environment', () => {
  file('doorward.yaml', YAML)
  const { servers, stderr } = imported([file('claude_desktop_config.json', DESKTOP)])
  assert.match(stderr, /is of Claude Desktop: 2 servers/)
  assert.deepEqual(servers.filesystem.command, ['npx', '-y', '@modelcontextprotocol/server-filesystem', '/srv/shared'])
  assert.deepEqual(servers['github-work'].command, ['docker', 'run', '-i', 'ghcr.io/github/github-mcp-server'])
  assert.match(yaml(), /GITHUB_HOST: github\.example\.com/)
})

test('what a server had is written down: the network, folders among its arguments; never the folder of the gateway\'s data', () => {
  file('doorward.yaml', YAML)
  file('shared/a.txt', 'a')
  mkdirSync(join(dir, 'data'))
  const args = ['-y', '@modelcontextprotocol/server-filesystem', join(dir, 'shared'), '/not/there', dir]
  const { servers, stdout } = imported([file('claude_desktop_config.json', { mcpServers: {
    files: { command: 'npx', args }, box: { command: 'docker', args: ['run', '-i', 'image'] } } })])
  assert.deepEqual([servers.files.sandbox, servers.files.network, servers.files.write], ['on', 'true', [join(dir, 'shared')]])
  assert.equal(servers.box.sandbox, 'off')
  assert.match(stdout, /stays shut: the gateway's data_dir lies there/)
  assert.match(stdout, /network: true +# /) // in the preview, with its reason
})

test('Claude Code: both transports, variables with defaults, and the projects of its own file', () => {
  file('doorward.yaml', YAML)
  const project = file('work/.mcp.json', { mcpServers: {
    api: { type: 'http', url: '${API_BASE:-https://api.example.com}/mcp', headers: { Authorization: 'Bearer ${API_KEY}' } },
    local: { type: 'stdio', command: './tools/serve.sh', args: ['--fast'], env: { LOG_LEVEL: '${LOG_LEVEL:-info}' } } } })
  const own = file('home/.claude.json', { numStartups: 7, mcpServers: {}, projects: { '/srv/shop': { allowedTools: [],
    disabledMcpServers: ['off'], mcpServers: { shop: { command: 'bin/shop' }, off: { command: 'x' } } } } })
  const { servers, stdout, stderr } = imported([project, own], { API_KEY: 'k' })
  assert.match(stderr, /\.mcp\.json is of Claude Code: 2 servers/)
  assert.match(yaml(), /url: "\$\{API_BASE:-https:\/\/api\.example\.com\}\/mcp"/)
  assert.match(yaml(), /Authorization: "Bearer \$\{API_KEY\}"/)
  assert.equal(servers.api.url, 'https://api.example.com/mcp')
  assert.equal(servers.local.cwd, join(dir, 'work'))
  assert.equal(servers.shop.cwd, '/srv/shop')
  assert.match(stdout, /left out +off: it is switched off in the client/)
})

test('Cursor: URL and headers, ${env:NAME}, comments in the file', () => {
  file('doorward.yaml', YAML)
  const { servers, stdout } = imported([file('home/.cursor/mcp.json', `{
    // what the team uses
    "mcpServers": {
      "linear": { "url": "https://mcp.linear.app/mcp", "headers": { "Authorization": "Bearer \${env:LINEAR_KEY}" } },
      "legacy": { "url": "https://old.example.com/sse" },
      "files": { "command": "python3", "args": ["\${userHome}/serve.py", "\${workspaceFolder}"] },
    },
  }`)], { LINEAR_KEY: 'k' })
  assert.equal(servers.linear.url, 'https://mcp.linear.app/mcp')
  assert.match(yaml(), /Authorization: "Bearer \$\{LINEAR_KEY\}"/)
  assert.match(stdout, /left out +legacy: it speaks the old HTTP\+SSE transport only.*Streamable HTTP/)
  assert.match(stdout, /left out +files: it uses \$\{workspaceFolder\}, and a gateway has no workspace: write the path itself/)
  assert.deepEqual(Object.keys(servers).sort(), ['desk', 'linear'])
})

test('VS Code: servers and inputs of mcp.json, mcp.servers of settings.json', () => {
  file('doorward.yaml', YAML)
  const profile = file('mcp.json', `{
	"inputs": [ { "type": "promptString", "id": "gh", "description": "token", "password": true }, ],
	"servers": {
		"github": { "type": "http", "url": "https://api.githubcopilot.com/mcp/", "headers": { "Authorization": "Bearer \${input:gh}" } },
		"time": { "type": "stdio", "command": "uvx", "args": ["mcp-server-time"], "env": { "PORT": 8080 } }
	}
}`)
  const settings = file('settings.json', '{ "editor.fontSize": 12, /* old place */ "mcp": { "servers": { "older": { "command": "older" } } } }')
  const { servers, stdout, stderr } = imported([profile, settings])
  assert.match(stderr, /mcp\.json is of VS Code: 2 servers/)
  assert.deepEqual(servers.time.command, ['uvx', 'mcp-server-time'])
  assert.deepEqual(servers.older.command, ['older'])
  assert.match(stdout, /left out +github: it asks a person for \$\{input:gh\}.*set a variable of the gateway's environment/)
})

test('secrets go into files for their owner alone, and stand nowhere in clear', () => {
  file('doorward.yaml', YAML)
  const { stdout, stderr } = imported([file('c.json', { mcpServers: {
    ...DESKTOP.mcpServers, crm: { type: 'http', url: 'https://crm.example.com/mcp', headers: { 'X-Api-Key': 'k-12345' } } } })])
  assert.equal(secret('github-work.GITHUB_PERSONAL_ACCESS_TOKEN'), GITHUB_TOKEN)
  assert.equal(secret('crm.X-Api-Key'), 'k-12345')
  assert.equal(statSync(join(dir, 'secrets')).mode & 0o777, 0o700)
  assert.equal(statSync(join(dir, 'secrets/crm.X-Api-Key')).mode & 0o777, 0o600)
  assert.match(yaml(), /GITHUB_PERSONAL_ACCESS_TOKEN: "file:secrets\/github-work\.GITHUB_PERSONAL_ACCESS_TOKEN"/)
  for (const text of [yaml(), stdout, stderr]) assert.doesNotMatch(text, /ghp_|k-12345/)
})

test('the rest of the file stays as it is, byte for byte; the difference is what was shown', () => {
  file('doorward.yaml', YAML)
  const { stdout } = imported([file('c.json', DESKTOP)])
  const end = YAML.indexOf('\n# Rules')
  assert.ok(yaml().startsWith(YAML.slice(0, end)))
  assert.ok(yaml().endsWith(YAML.slice(end)))
  const added = stdout.split('\n').filter((l) => /^\+(?!\+\+)/.test(l)).map((l) => l.slice(1)).join('\n')
  assert.equal(yaml().slice(end, -YAML.slice(end).length), `${added}\n`)
  assert.doesNotMatch(stdout, /^-(?!--)/m)
})

test('a dry run shows the same and writes nothing', () => {
  file('doorward.yaml', YAML)
  const from = file('c.json', DESKTOP)
  const before = everything()
  const dry = run(['import', from, '--dry-run'])
  assert.equal(dry.status, 0, dry.stderr)
  assert.deepEqual(everything(), before)
  const real = run(['import', from, '--yes'])
  assert.ok(real.stdout.startsWith(dry.stdout))
})

test('nobody to ask, nothing written', () => {
  file('doorward.yaml', YAML)
  const from = file('c.json', DESKTOP)
  const before = everything()
  const r = run(['import', from], { input: 'y\n' })
  assert.equal(r.status, 1)
  assert.match(r.stderr, /nothing was written: standard input is no terminal to ask; --yes says yes/)
  assert.deepEqual(everything(), before)
})

test('on a terminal it asks, and only yes writes', () => {
  file('doorward.yaml', YAML)
  const from = file('c.json', DESKTOP)
  const onTerminal = (input) => spawnSync('script', ['-qec', `'${DOORWARD}' import '${from}'`, '/dev/null'],
    { encoding: 'utf8', cwd: dir, input, env: { PATH: process.env.PATH, HOME: dir, NO_COLOR: '1' } })
  const no = onTerminal('n\n')
  assert.match(no.stdout, /Write this\? \[y\/N\]/)
  assert.equal(no.status, 1)
  assert.equal(yaml(), YAML)
  assert.equal(onTerminal('y\n').status, 0)
  assert.match(yaml(), /^ {2}filesystem:$/m)
})

test('undo puts back what was there, newest first, and removes the secrets of that import', () => {
  file('doorward.yaml', YAML)
  writeFileSync(join(dir, 'mine'), 'x')
  imported([file('a.json', { mcpServers: { one: { command: 'one', env: { API_KEY: 'first' } } } })])
  const between = yaml()
  imported([file('b.json', { mcpServers: { two: { command: 'two', env: { API_KEY: 'second' } } } })])
  assert.equal(run(['import', '--undo', '--yes']).status, 0)
  assert.equal(yaml(), between)
  assert.equal(secret('one.API_KEY'), 'first')
  assert.equal(existsSync(join(dir, 'secrets/two.API_KEY')), false)
  assert.match(run(['import', '--undo', '--yes']).stdout, /^-  one:$/m)
  assert.equal(yaml(), YAML)
  assert.equal(existsSync(join(dir, 'secrets')), false)
  const none = run(['import', '--undo', '--yes'])
  assert.equal(none.status, 1)
  assert.match(none.stderr, /no import is there to be undone/)
})

test('a server that is there already is said to be, under whatever name; one of its name with other content gets another', () => {
  file('doorward.yaml', YAML)
  const from = file('c.json', DESKTOP)
  imported([from])
  const before = yaml()
  const again = run(['import', from, '--yes'])
  assert.match(again.stdout, /there already +GitHub \(work\), as github-work/)
  assert.match(again.stderr, /there is nothing to add/)
  assert.equal(yaml(), before)
  const { servers } = imported([file('d.json', { mcpServers: {
    filesystem: { command: 'other' }, copy: DESKTOP.mcpServers.filesystem } })])
  assert.deepEqual(servers['filesystem-2'].command, ['other'])
  assert.equal(servers.copy, undefined)
})

test('a file that cannot be extended safely is left alone, with what to do', () => {
  const from = file('c.json', DESKTOP)
  for (const [text, says] of [
    ['servers: { desk: { url: "http://h/mcp" } }\n', /servers: is written on one line/],
    ['{ "servers": {} }\n', /flow style/],
    ['listen: nowhere\n', /doorward\.yaml:1:\d+: listen: .*\n.*has faults already/],
    ['? servers\n: desk: { url: "http://h/mcp" }\n', /would have faults|cannot extend safely/],
  ]) {
    file('doorward.yaml', text)
    const r = run(['import', from, '--yes'])
    assert.equal(r.status, 1, r.stdout)
    assert.match(r.stderr, says)
    assert.equal(yaml(), text)
    assert.equal(existsSync(join(dir, 'secrets')), false)
  }
})

test('mode and links of doorward.yaml are kept', () => {
  const real = file('etc/doorward.yaml', YAML)
  spawnSync('chmod', ['640', real])
  spawnSync('ln', ['-s', 'etc/doorward.yaml', join(dir, 'doorward.yaml')])
  imported([file('c.json', { mcpServers: { one: { command: 'one', env: { API_KEY: 'k' } } } })])
  assert.equal(statSync(real).mode & 0o777, 0o640)
  assert.match(readFileSync(real, 'utf8'), /^ {2}one:$/m)
  assert.equal(run(['import', '--undo', '--yes']).status, 0)
  assert.equal(readFileSync(real, 'utf8'), YAML)
  assert.ok(lstatSync(join(dir, 'doorward.yaml')).isSymbolicLink())
})

test('an entry that leads to this gateway is left out: it would call itself', () => {
  file('doorward.yaml', `public_url: https://door.example.com\n${YAML}`)
  const { stdout, stderr } = imported([file('c.json', { mcpServers: { a: { url: 'https://door.example.com/mcp/desk' },
    b: { url: 'http://127.0.0.1:8420/mcp' }, c: { url: 'http://localhost:8420/mcp' }, d: { url: 'https://door.example.com.evil/mcp' },
    e: { command: '/usr/bin/doorward', args: ['bridge', '--agent', 'x', '--url', 'https://door.example.com'] },
    f: { command: '/usr/bin/doorward', args: ['bridge', '--agent', 'x'] },
    g: { command: '/usr/bin/doorward', args: ['bridge', '--url', 'https://elsewhere.example.com'] } } })])
  for (const name of ['a', 'b', 'c', 'e', 'f']) assert.match(stdout, new RegExp(`left out +${name}: it is this gateway`))
  for (const name of ['d', 'g']) assert.match(stdout, new RegExp(`added +${name}, as ${name}`))
  assert.match(stderr, /7 servers/)
})

test('without a file, the usual places are looked in and what is found is said', () => {
  const none = run(['import', '--dry-run'])
  assert.equal(none.status, 1)
  assert.match(none.stderr, /name its file: doorward import FILE/)
  file('home/.config/Claude/claude_desktop_config.json', DESKTOP)
  file('home/.config/Code/User/settings.json', '{ "editor.fontSize": 12 }')
  file('home/.cursor/mcp.json', { mcpServers: { one: { command: 'one' } } })
  const { servers, stderr } = imported([])
  assert.match(stderr, /^found Claude Desktop: .*claude_desktop_config\.json, 2 servers$/m)
  assert.match(stderr, /^found Cursor: .*mcp\.json, 1 server$/m)
  assert.deepEqual(Object.keys(servers).sort(), ['filesystem', 'github-work', 'one'])
})

test('variables that are not set here are named; they are the daemon\'s', () => {
  file('doorward.yaml', YAML)
  const r = run(['import', file('c.json', { mcpServers: { one: { command: 'one', args: ['${NOT_SET_ANYWHERE}'] } } }), '--yes'])
  assert.equal(r.status, 0, r.stderr)
  assert.match(r.stderr, /NOT_SET_ANYWHERE is not set here: it must be in the environment of doorward serve/)
})

test('tools that the client names get a rule with the risk that is proposed', () => {
  file('doorward.yaml', YAML + '  "repo/create_issue": { risk: high }\n')
  const { stdout } = imported([file('c.json', { mcpServers: {
    repo: { command: 'repo', alwaysAllow: ['get_issue', 'create_issue', 'get_issue'], disabledTools: ['delete_repo', 'x\ny: 1', 'get_*'] } } })])
  assert.match(yaml(), /^tools:\n[^]*^ {2}"repo\/create_issue": \{ risk: high \}\n {2}# Proposed by name alone[^\n]*\n {2}"repo\/get_issue": \{ risk: low \} {3}# get\n {2}"repo\/delete_repo": \{ risk: high \} {3}# delete\n/m)
  assert.match(yaml(), /^ +# {3}x\\ny: 1: high .*\n +# {3}get_\*: low/m) // what would be no rule, or one for others, is only told
  assert.match(stdout, /delete_repo: high \(delete\)/)
  const { tools } = JSON.parse(run(['config', 'show']).stdout)
  assert.deepEqual(Object.keys(tools).filter((t) => t.startsWith('repo/')).sort(), ['repo/create_issue', 'repo/delete_repo', 'repo/get_issue'])
})

test('where tools: cannot be extended the proposals are comments beside the server', () => {
  file('doorward.yaml', 'tools: { "*/*": { risk: high } }\n')
  imported([file('c.json', { mcpServers: { repo: { command: 'repo', alwaysAllow: ['get_issue'] } } })])
  assert.match(yaml(), /^tools: \{ "\*\/\*": \{ risk: high \} \}\n[^]*#   get_issue: low \(get\)/)
})

test('--json says what became of each server', () => {
  file('doorward.yaml', YAML)
  const r = run(['import', file('c.json', { mcpServers: { ...DESKTOP.mcpServers, sse: { type: 'sse', url: 'https://h/sse' },
                                                          more: { command: 'x', alwaysAllow: ['send_mail'] } } }), '--yes', '--json'])
  const said = JSON.parse(r.stdout)
  assert.equal(said.written, true)
  assert.deepEqual(said.servers.map((s) => [s.label, s.state, s.name]), [
    ['filesystem', 'added', 'filesystem'], ['GitHub (work)', 'added', 'github-work'], ['sse', 'left_out', undefined],
    ['more', 'added', 'more']])
  assert.deepEqual(said.servers[3].tools, [{ name: 'send_mail', proposedRisk: 'medium', because: 'send' }])
  assert.deepEqual(said.servers[1].secrets, ['secrets/github-work.GITHUB_PERSONAL_ACCESS_TOKEN'])
  assert.ok(existsSync(said.kept))
})

test('a file that is no client\'s, or no JSON, is refused with its place', () => {
  for (const [text, says] of [
    ['{ "a": 1 }', /has no mcpServers and no servers/],
    ['{ "mcpServers": {\n  "a": } }', /line 2/],
    ['', /c\.json/],
  ]) {
    const r = run(['import', file('c.json', text), '--dry-run'])
    assert.equal(r.status, 1)
    assert.match(r.stderr, says)
  }
  assert.match(run(['import', 'gone.json']).stderr, /gone\.json: No such file/)
})

test('after a reload the gateway serves what was imported, with its secret, and proposes risks for its tools', async () => {
  gate = await startGate({ servers: { desk: DESK } })
  const text = `listen: ${gate.config.listen}\nadmin: { listen: "${gate.config.admin.listen}" }\n` +
    `data_dir: ${gate.config.data_dir}\ntools: { "*/*": { risk: low } }\nservers:\n  desk: ${JSON.stringify(DESK)}   # first\n`
  writeFileSync(gate.file, text)
  const [command, ...args] = npmServer('server-everything', 'stdio').command
  const from = file('claude_desktop_config.json', { mcpServers: { Everything: { command, args, env: { API_TOKEN: 'token-of-mine' } } } })
  gate.cli(['import', from, '-c', gate.file, '--yes'])
  assert.equal(gate.json(['reload']).reloaded, true)
  await until('the tools of the new server', () => gate.json(['tools', 'list', '--server', 'everything']).tools.length > 3)
  const agent = await gate.agent({ allow: ['everything/get-env'] })
  const env = gate.cli(['call', '--url', gate.url, '--agent', agent.id, '--key', agent.key, 'everything/get-env']).stdout
  assert.match(env, /"API_TOKEN": "token-of-mine"/)
  const { tools } = gate.json(['tools', 'list', '--server', 'everything', '--propose'])
  const echo = tools.find((t) => t.name === 'echo')
  assert.equal(echo.proposedRisk, 'low')
  assert.equal(echo.because, 'echo')
  assert.match(gate.cli(['tools', 'list', '-c', gate.file, '--propose']).stdout, /^TOOL +PROPOSED RISK +BECAUSE OF/)
  assert.match(gate.cli(['import', from, '-c', gate.file, '--yes']).stdout, /risk proposed +everything\/echo: low \(echo\)/)
})
